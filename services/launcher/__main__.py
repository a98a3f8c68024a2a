from services.launcher.main import main

raise SystemExit(main())
