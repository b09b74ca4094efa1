-- When somebody asked for the end of a run that another server executes. That server ends it, and knows what it cost.
ALTER TABLE runs ADD cancel_requested_at timestamptz;
