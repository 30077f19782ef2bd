"""What everything else rests on: tables of TOML, frames, files, arguments, sinks of text."""
