"""What customers can be expected to buy: BG/NBD for how often, Gamma-Gamma for how much, and a test of both."""
