"""Audiences of campaigns: who is written to, who is held out, and what can be learnt from it."""
