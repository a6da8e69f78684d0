"""The life of pods on their nodes, as a kubelet tells it: pulls, init containers, runs, ends, restarts, deletion."""
