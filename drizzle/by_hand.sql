-- What drizzle cannot say: storage of the hot tables, and the first rows.
ALTER TABLE "live_job" SET (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000);--> statement-breakpoint
ALTER TABLE "worker_connection" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);--> statement-breakpoint
ALTER TABLE "counter" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
ALTER TABLE "counter_delta" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
ALTER TABLE "edge" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);--> statement-breakpoint
ALTER TABLE "beat" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);--> statement-breakpoint
ALTER TABLE "lease_batch" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
ALTER TABLE "lease_batch" ALTER COLUMN "jobs" SET STORAGE EXTERNAL;--> statement-breakpoint
CREATE VIEW "leased_job" AS SELECT b.session_id AS holder, l.* FROM "lease_batch" b CROSS JOIN LATERAL unnest(b.jobs, b.attempts) AS t(job, attempt) CROSS JOIN LATERAL (SELECT * FROM "live_job" WHERE id = t.job AND live_job.attempt = t.attempt AND session_id = b.session_id OFFSET 0) l;--> statement-breakpoint
ALTER SEQUENCE "phase_event_id" OWNED BY "phase_event"."id";--> statement-breakpoint
INSERT INTO "org" ("name") VALUES ('default');--> statement-breakpoint
INSERT INTO "queue" ("org_id", "name") SELECT "id", 'default' FROM "org" WHERE "name" = 'default';
