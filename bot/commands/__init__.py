"""What the command line does beyond one line; imported only when its command runs."""
