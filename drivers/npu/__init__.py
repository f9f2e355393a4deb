"""NPU back ends: each loads a model file into a Session with fixed tensors."""
