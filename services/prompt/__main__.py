from services.prompt.main import main

main()
