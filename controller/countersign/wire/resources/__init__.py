"""Our custom resources: what they look like, and the values of the core they become.

``spec`` is parsed strictly at every load: an unknown field, a misspelt one, a field that
this version cannot honour, is a problem with its path. The CRDs keep unknown fields
(``x-kubernetes-preserve-unknown-fields``), so that the server does not drop a misspelt
restriction before anyone sees it (rule 24).
"""
