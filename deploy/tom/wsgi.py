"""What gunicorn serves: ``gunicorn deploy.tom.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.tom.settings")
application = get_wsgi_application()
