"""``python -m tools.schemas`` writes the schemas that the files of the project name."""

from tumor_abm.schemas import write_schemas

if __name__ == "__main__":
    write_schemas()
