import gc

gc.disable()  # while modules load nothing is garbage, and looking for it is a sixth of the start
from services.prompt.main import main  # noqa: E402

main()
