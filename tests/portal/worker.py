"""A worker of the TOM, as a process that can be killed: it follows the orders of `tests.portal.orders`."""

import os
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.portal.tom_settings"
    django.setup()
    import_module("tests.portal.orders").serve()
