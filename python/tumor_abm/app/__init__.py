"""The browser app: one virtual patient, seen and treated day by day."""
