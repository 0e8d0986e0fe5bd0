"""Renderings: each a frozen value, one module and one folder of templates."""
