"""What lies beside images, at hand: remembered, asked for once, and not too often."""
