from services.standin.main import main

main()
