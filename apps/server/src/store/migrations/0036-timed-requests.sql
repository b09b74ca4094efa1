-- min_reader: 30
ALTER TABLE nodes
  -- Its requests to other nodes are signed with their time. Nodes of the release before do not, and leave this as it is.
  ADD signs_time boolean NOT NULL DEFAULT false;
