"""Accueil: answers the practical questions of a training organisation's learners, hands the rest to the trainer."""

__version__ = "0.1.0"
