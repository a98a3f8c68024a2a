"""`python -m services.stems`."""

import gc

gc.disable()  # while modules load nothing is garbage, and looking for it is a sixth of the start
from services.stems.main import main  # noqa: E402

main()
