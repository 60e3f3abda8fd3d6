"""What a whole run costs beside the network, and how old its frames get."""
