"""The NVIDIA GPU Operator, played: `package` declares it."""
