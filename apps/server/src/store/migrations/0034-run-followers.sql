-- min_reader: 30
ALTER TABLE runs
  -- Readers of its stream at servers that did not accept it: the client that started it may leave without ending it.
  ADD followers integer NOT NULL DEFAULT 0;
