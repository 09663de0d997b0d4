"""The page that a marketing team keeps open: one self-contained HTML document per snapshot date."""
