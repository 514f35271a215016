"""TensorRT plans, built and run in processes of their own."""
