"""How the results of the skeleton are read, judged and plotted."""
