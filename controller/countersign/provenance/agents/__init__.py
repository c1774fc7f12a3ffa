"""What is known of each assistant, one data file each; read by `provenance.registry`.

``title``
  The name people use.
``ids``
  Numeric account ids at ``users.noreply.github.com``.
``emails``
  Addresses that only the assistant uses.
``aliases``
  Other spellings that trailers use for it; the file's name is the canonical one.
``trailers``, ``trailer_prefixes``
  Keys of trailers that only its sessions write.
``branches``
  Prefixes of the branches it opens.
``suffixes``
  What it appends to the name of the author or committer it works for.
``texts``
  Names that follow "Generated with" and the like in its messages.
``environment``
  What a process started by it sees; read by `provenance.environment`.
"""
