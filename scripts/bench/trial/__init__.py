"""What benchmarks share: a stack of their own, images, a client that tries again, a receiver."""
