-- Statements that only those need who look after a store.

-- name: wrong_tallies
-- Empty in a consistent store: counts that differ from what they count.
SELECT node, direction, kind, state, sum(number) FROM (
  SELECT node, direction, kind, state, number FROM tally
  UNION ALL SELECT node, direction, kind, state, -1 FROM message
  UNION ALL SELECT node, '', 'case', '', -1 FROM case_file
  UNION ALL SELECT node, '', 'document', '', -1 FROM document)
 GROUP BY node, direction, kind, state HAVING sum(number) <> 0
