-- Executions that a run had for itself, and during which the server or the engine ended. `attempts` counts all executions.
ALTER TABLE runs ADD own_deaths integer NOT NULL DEFAULT 0;
