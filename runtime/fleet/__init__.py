"""Many boards by Ansible: playbooks and a role, and the wheels that boards need."""
