"Package docstring."
VALUE = 10
print("importing", __name__)
from . import other
