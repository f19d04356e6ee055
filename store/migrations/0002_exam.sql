-- How a registered specialist does beside the others: a serialized report, NULL where it was admitted
-- before there were exams; and whether an operator wants it whatever the report says.
ALTER TABLE registration ADD COLUMN exam BLOB;
ALTER TABLE registration ADD COLUMN despite_exam INTEGER NOT NULL DEFAULT 0 CHECK (despite_exam IN (0, 1));
