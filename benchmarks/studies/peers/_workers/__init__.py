"""What runs in the peers' own environments: numpy, cv2 and the peer, no edgeseg."""
