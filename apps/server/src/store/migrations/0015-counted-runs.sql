-- Small, because few of its entries differ: the total of a list of runs is counted from it in half the time.
CREATE INDEX runs_counted ON runs (project_id, pipeline_id, state);
