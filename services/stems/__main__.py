"""`python -m services.stems`."""

from services.stems.main import main

main()
