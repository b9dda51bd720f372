CREATE TYPE "public"."job_kind" AS ENUM('exec', 'handler');--> statement-breakpoint
CREATE TYPE "public"."job_state" AS ENUM('created', 'queued', 'ready', 'dispatched', 'running', 'succeeded', 'failed', 'cancelled', 'dependency_failed');--> statement-breakpoint
CREATE TYPE "public"."operation_state" AS ENUM('running', 'done', 'failed', 'undone', 'stopped');--> statement-breakpoint
CREATE TYPE "public"."outcome" AS ENUM('succeeded', 'failed', 'timed_out', 'cancelled', 'lost', 'rejected', 'released');--> statement-breakpoint
CREATE TYPE "public"."role" AS ENUM('viewer', 'member', 'operator', 'admin', 'owner');--> statement-breakpoint
CREATE TYPE "public"."waiting_for" AS ENUM('run_at', 'backoff', 'dependencies');--> statement-breakpoint
CREATE TYPE "public"."workflow_state" AS ENUM('open', 'running', 'succeeded', 'failed', 'cancelled');--> statement-breakpoint
CREATE TABLE "admin_task" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"replica_id" uuid NOT NULL,
	"created_by" text NOT NULL,
	"reason" text,
	"progress" jsonb NOT NULL,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "alert_channel" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"severity" text NOT NULL,
	"url" text,
	"addresses" text[],
	"secret" text,
	"may_be_private" boolean NOT NULL,
	"enabled" boolean NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"updated_by" text NOT NULL,
	CONSTRAINT "alert_channel_name" UNIQUE NULLS NOT DISTINCT("org_id","name"),
	CONSTRAINT "alert_channel_kind" CHECK (kind in ('webhook', 'slack', 'email'))
);
--> statement-breakpoint
CREATE TABLE "alert_delivery" (
	"id" uuid PRIMARY KEY NOT NULL,
	"channel_id" uuid NOT NULL,
	"message" json NOT NULL,
	"state" text NOT NULL,
	"attempts" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"next_try_at" timestamp with time zone NOT NULL,
	"taken_until" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"last_error" text
);
--> statement-breakpoint
CREATE TABLE "alert_event" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alert_event_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alert_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"rule" text NOT NULL,
	"org_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"severity" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"value" double precision,
	"limit_value" double precision,
	"sentence" text NOT NULL,
	"silence_id" uuid,
	CONSTRAINT "alert_event_once" UNIQUE("alert_id","kind")
);
--> statement-breakpoint
CREATE TABLE "alert_limit" (
	"org_id" integer NOT NULL,
	"rule" text NOT NULL,
	"job_name" text NOT NULL,
	"enabled" boolean NOT NULL,
	"limits" jsonb NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"updated_by" text NOT NULL,
	CONSTRAINT "alert_limit_key" PRIMARY KEY("org_id","rule","job_name")
);
--> statement-breakpoint
CREATE TABLE "alert_told" (
	"alert_id" uuid NOT NULL,
	"channel_id" uuid NOT NULL,
	"told_at" timestamp with time zone NOT NULL,
	CONSTRAINT "alert_told_key" PRIMARY KEY("alert_id","channel_id")
);
--> statement-breakpoint
CREATE TABLE "alert" (
	"id" uuid PRIMARY KEY NOT NULL,
	"rule" text NOT NULL,
	"org_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"severity" text NOT NULL,
	"state" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"known_at" timestamp with time zone NOT NULL,
	"fired_at" timestamp with time zone,
	"clear_since" timestamp with time zone,
	"value" double precision,
	"limit_value" double precision,
	"sentence" text NOT NULL,
	CONSTRAINT "alert_of" UNIQUE("rule","name_id"),
	CONSTRAINT "alert_state" CHECK (state in ('pending', 'firing'))
);
--> statement-breakpoint
CREATE TABLE "silence" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer,
	"rule" text,
	"job_name" text,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"ended_by" text
);
--> statement-breakpoint
CREATE TABLE "maintenance_run" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "maintenance_run_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name_id" integer NOT NULL,
	"address" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"run_ms" double precision NOT NULL,
	"passes" integer NOT NULL,
	"outcome" text NOT NULL,
	"items_success" bigint NOT NULL,
	"items_failed" bigint NOT NULL,
	"items_skipped" bigint NOT NULL,
	"error" text,
	CONSTRAINT "maintenance_run_outcome" CHECK (outcome in ('succeeded', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "name_expectation" (
	"name_id" integer PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"interval_seconds" integer NOT NULL,
	"grace_seconds" integer,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "name_run" (
	"name_id" integer PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"last_run_at" timestamp with time zone NOT NULL,
	"last_success_at" timestamp with time zone,
	"last_failure_at" timestamp with time zone,
	"last_failure_job" uuid,
	"last_failure_error" text
);
--> statement-breakpoint
CREATE TABLE "beat" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "context_snapshot" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"body" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"used_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "counter_delta" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "counter_delta_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"org_id" integer NOT NULL,
	"queue_id" integer DEFAULT 0 NOT NULL,
	"name_id" integer DEFAULT 0 NOT NULL,
	"workflow_id" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"state" "job_state" NOT NULL,
	"n" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "counter" (
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"workflow_id" uuid NOT NULL,
	"state" "job_state" NOT NULL,
	"n" bigint NOT NULL,
	CONSTRAINT "counter_key" PRIMARY KEY("org_id","queue_id","name_id","workflow_id","state")
);
--> statement-breakpoint
CREATE TABLE "decision" (
	"beat" uuid NOT NULL,
	"rules_version" smallint NOT NULL,
	"terms_each" smallint NOT NULL,
	"jobs" uuid[] NOT NULL,
	"terms" real[] NOT NULL,
	"candidates" smallint[] NOT NULL,
	"candidate_scores" real[] NOT NULL,
	"others" uuid[] NOT NULL,
	"considered" integer[] NOT NULL,
	"contexts" uuid[] NOT NULL,
	"worker_context" smallint[] NOT NULL,
	"job_context" smallint[] NOT NULL,
	"instance_context" smallint[] NOT NULL,
	CONSTRAINT "decision_key" PRIMARY KEY("beat")
) PARTITION BY RANGE ("beat");
--> statement-breakpoint
CREATE TABLE "dispatched_job" (
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"worker_id" integer NOT NULL,
	"session_id" bigint NOT NULL,
	"token" uuid NOT NULL,
	"outcome" "outcome" NOT NULL,
	"state_after" "job_state" NOT NULL,
	"reason" text,
	"error" text,
	"exit_code" integer,
	"signal" text,
	"queued_at" timestamp with time zone NOT NULL,
	"eligible_at" timestamp with time zone,
	"ready_at" timestamp with time zone NOT NULL,
	"dispatched_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone NOT NULL,
	"run_ms" double precision,
	"peak_ram_mb" real,
	"cpu_ms" double precision,
	"disk_read_bytes" bigint,
	"disk_write_bytes" bigint,
	"network_mbps" real,
	"oom_killed" boolean,
	"usage_source" jsonb,
	"items_success" bigint,
	"items_failed" bigint,
	"items_skipped" bigint,
	"log_bytes" bigint,
	"score" real,
	"beat" uuid,
	"beat_place" smallint,
	CONSTRAINT "dispatched_job_key" PRIMARY KEY("job_id","attempt","ended_at")
) PARTITION BY RANGE ("ended_at");
--> statement-breakpoint
CREATE TABLE "edge" (
	"dependency_id" uuid NOT NULL,
	"dependent_id" uuid NOT NULL,
	"satisfied_at" timestamp with time zone,
	CONSTRAINT "edge_key" PRIMARY KEY("dependency_id","dependent_id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_key" (
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"status" integer,
	"answer" json,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_key_key" PRIMARY KEY("caller","key")
);
--> statement-breakpoint
CREATE TABLE "job_end" (
	"job_id" uuid NOT NULL,
	"finished_at" timestamp with time zone NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"state" "job_state" NOT NULL,
	"attempt" integer NOT NULL,
	"failures" smallint NOT NULL,
	"worker_id" integer,
	"exit_code" integer,
	"reason" text,
	"error" text,
	"queued_at" timestamp with time zone NOT NULL,
	"eligible_at" timestamp with time zone,
	"ready_at" timestamp with time zone,
	"cancel_requested_at" timestamp with time zone,
	"result" json,
	CONSTRAINT "job_end_key" PRIMARY KEY("job_id","finished_at")
) PARTITION BY RANGE ("finished_at");
--> statement-breakpoint
CREATE TABLE "job_key" (
	"org_id" integer NOT NULL,
	"key" text NOT NULL,
	"job_id" uuid NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "job_key_key" PRIMARY KEY("org_id","key")
);
--> statement-breakpoint
CREATE TABLE "job_name" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "job_name_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"org_id" integer NOT NULL,
	"name" text NOT NULL,
	"counted" boolean DEFAULT true NOT NULL,
	"used_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "job_name_org_name" UNIQUE("org_id","name")
);
--> statement-breakpoint
CREATE TABLE "job" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"shape_id" integer NOT NULL,
	"kind" "job_kind" NOT NULL,
	"priority" smallint NOT NULL,
	"max_attempts" smallint NOT NULL,
	"backoff_base" real NOT NULL,
	"backoff_factor" real NOT NULL,
	"backoff_max" real NOT NULL,
	"timeout_seconds" real,
	"run_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"depends_on" uuid[],
	"dedupe_key" text,
	"tags" jsonb,
	"created_by" text,
	"payload" json
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "leadership" (
	"role" text PRIMARY KEY NOT NULL,
	"holder" uuid NOT NULL,
	"term" bigint NOT NULL,
	"until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "lease_batch" (
	"beat" uuid NOT NULL,
	"session_id" bigint NOT NULL,
	"jobs" uuid[] NOT NULL,
	"attempts" integer[] NOT NULL,
	CONSTRAINT "lease_batch_key" PRIMARY KEY("beat","session_id")
);
--> statement-breakpoint
CREATE TABLE "live_job" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"shape_id" integer NOT NULL,
	"counted_name" integer NOT NULL,
	"state" "job_state" NOT NULL,
	"waiting_for" "waiting_for",
	"priority" smallint NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"failures" smallint DEFAULT 0 NOT NULL,
	"max_attempts" smallint NOT NULL,
	"lost" smallint DEFAULT 0 NOT NULL,
	"rejections" smallint DEFAULT 0 NOT NULL,
	"pending_deps" integer DEFAULT 0 NOT NULL,
	"dependents" real DEFAULT 0 NOT NULL,
	"has_inputs" boolean DEFAULT false NOT NULL,
	"has_dependents" boolean DEFAULT false NOT NULL,
	"has_workflow" boolean DEFAULT false NOT NULL,
	"ready_rank" double precision,
	"queued_at" timestamp with time zone NOT NULL,
	"due_at" timestamp with time zone,
	"eligible_at" timestamp with time zone,
	"ready_at" timestamp with time zone,
	"dispatched_at" timestamp with time zone,
	"started_at" timestamp with time zone,
	"deadline_at" timestamp with time zone,
	"cancel_requested_at" timestamp with time zone,
	"cancel_acknowledged_at" timestamp with time zone,
	"cancel_actor" text,
	"cancel_reason" text,
	"cancel_requeue" boolean DEFAULT false NOT NULL,
	"session_id" bigint,
	"worker_id" integer,
	"token" uuid,
	"score" real,
	"beat" uuid,
	"beat_place" smallint,
	"rejected_by" integer[],
	"input_workers" integer[],
	"progress" real,
	"progress_note" text,
	"items_success" bigint,
	"items_failed" bigint,
	"items_skipped" bigint,
	"progress_at" timestamp with time zone,
	"slot" smallint,
	"last_error" text
);
--> statement-breakpoint
CREATE TABLE "instance_sample" (
	"at" timestamp with time zone NOT NULL,
	"org_id" integer NOT NULL,
	"name_id" integer DEFAULT 0 NOT NULL,
	"pending" bigint NOT NULL,
	"active" bigint NOT NULL,
	"slots_entitled" real NOT NULL,
	CONSTRAINT "instance_sample_key" PRIMARY KEY("at","org_id","name_id")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "metric" (
	"id" smallint PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"kind" text NOT NULL,
	"unit" text NOT NULL,
	CONSTRAINT "metric_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "ranking" (
	"metric_id" smallint NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"day" date NOT NULL,
	"place" smallint NOT NULL,
	"value" double precision NOT NULL,
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"job_org_id" integer NOT NULL,
	"job_queue_id" integer NOT NULL,
	"job_name_id" integer NOT NULL,
	"worker_id" integer NOT NULL,
	CONSTRAINT "ranking_key" PRIMARY KEY("metric_id","org_id","queue_id","name_id","day","place")
);
--> statement-breakpoint
CREATE TABLE "rollup_day" (
	"metric_id" smallint NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"worker_id" integer NOT NULL,
	"bucket_start" timestamp with time zone NOT NULL,
	"count" bigint NOT NULL,
	"sum" double precision NOT NULL,
	"min" double precision,
	"max" double precision,
	"bins" smallint[],
	"hits" bigint[],
	CONSTRAINT "rollup_day_key" PRIMARY KEY("metric_id","org_id","queue_id","name_id","worker_id","bucket_start")
);
--> statement-breakpoint
CREATE TABLE "rollup_dirty" (
	"granularity" text NOT NULL,
	"bucket_start" timestamp with time zone NOT NULL,
	CONSTRAINT "rollup_dirty_key" PRIMARY KEY("granularity","bucket_start")
);
--> statement-breakpoint
CREATE TABLE "rollup_hour" (
	"metric_id" smallint NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"worker_id" integer NOT NULL,
	"bucket_start" timestamp with time zone NOT NULL,
	"count" bigint NOT NULL,
	"sum" double precision NOT NULL,
	"min" double precision,
	"max" double precision,
	"bins" smallint[],
	"hits" bigint[],
	CONSTRAINT "rollup_hour_key" PRIMARY KEY("metric_id","org_id","queue_id","name_id","worker_id","bucket_start")
) PARTITION BY RANGE ("bucket_start");
--> statement-breakpoint
CREATE TABLE "rollup_minute" (
	"metric_id" smallint NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"worker_id" integer NOT NULL,
	"bucket_start" timestamp with time zone NOT NULL,
	"count" bigint NOT NULL,
	"sum" double precision NOT NULL,
	"min" double precision,
	"max" double precision,
	"bins" smallint[],
	"hits" bigint[],
	CONSTRAINT "rollup_minute_key" PRIMARY KEY("metric_id","org_id","queue_id","name_id","worker_id","bucket_start")
) PARTITION BY RANGE ("bucket_start");
--> statement-breakpoint
CREATE TABLE "rollup_progress" (
	"id" smallint PRIMARY KEY NOT NULL,
	"horizon" "xid8" NOT NULL,
	"marks" jsonb NOT NULL,
	"complete_until" timestamp with time zone NOT NULL,
	"known_from" timestamp with time zone,
	"revision" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollup_week" (
	"metric_id" smallint NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"worker_id" integer NOT NULL,
	"bucket_start" timestamp with time zone NOT NULL,
	"count" bigint NOT NULL,
	"sum" double precision NOT NULL,
	"min" double precision,
	"max" double precision,
	"bins" smallint[],
	"hits" bigint[],
	CONSTRAINT "rollup_week_key" PRIMARY KEY("metric_id","org_id","queue_id","name_id","worker_id","bucket_start")
);
--> statement-breakpoint
CREATE TABLE "worker_sample" (
	"at" timestamp with time zone NOT NULL,
	"worker_id" integer NOT NULL,
	"org_id" integer,
	"slots_offered" integer NOT NULL,
	"slots_used" integer NOT NULL,
	"draining" boolean NOT NULL,
	"runs_exec" boolean NOT NULL,
	"has_handlers" boolean NOT NULL,
	"cpu_pct" real,
	"ram_free_mb" real,
	"ram_total_mb" real,
	"disk_mbps" real,
	"network_mbps" real
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "name_history" (
	"name_id" integer PRIMARY KEY NOT NULL,
	"samples" integer DEFAULT 0 NOT NULL,
	"run_ms" double precision[] NOT NULL,
	"peak_ram_mb" real[] NOT NULL,
	"cpu_ms" double precision[] NOT NULL,
	"disk_bytes" double precision[] NOT NULL,
	"network_mbps" real[] NOT NULL,
	"oom" real[] NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "operation" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer,
	"kind" text NOT NULL,
	"filter" jsonb NOT NULL,
	"reason" text,
	"actor" text,
	"state" "operation_state" NOT NULL,
	"affected" bigint NOT NULL,
	"done" bigint DEFAULT 0 NOT NULL,
	"cursor" text,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"starts_at" timestamp with time zone DEFAULT now() NOT NULL,
	"begun" boolean DEFAULT false NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "org" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "org_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"title" text,
	"is_public" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "org_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "api_token" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"hint" text NOT NULL,
	"person_id" text,
	"org_id" integer,
	"role" "role",
	"purpose" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "api_token_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"org_id" integer,
	"actor" text NOT NULL,
	"person_id" text,
	"token_id" text,
	"address" text,
	"action" text NOT NULL,
	"object_kind" text NOT NULL,
	"object_id" text NOT NULL,
	"reason" text,
	"affected" bigint,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "invitation" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"role" "role" NOT NULL,
	"email" text,
	"hash" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"person_id" text,
	"expires_at" timestamp with time zone NOT NULL,
	"accepted_at" timestamp with time zone,
	"accepted_by" text,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "invitation_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "membership" (
	"org_id" integer NOT NULL,
	"person_id" text NOT NULL,
	"role" "role" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "membership_org_id_person_id_pk" PRIMARY KEY("org_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "person_account" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp with time zone,
	"refresh_token_expires_at" timestamp with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "person_session" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"token" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "person_session_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "person" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"is_superuser" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "person_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "verification" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "worker_token" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"hint" text NOT NULL,
	"org_id" integer,
	"pool" text,
	"features" text[],
	"kinds" text[],
	"slots_max" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "worker_token_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE SEQUENCE "phase_event_id" AS bigint INCREMENT BY 65536;--> statement-breakpoint
CREATE TABLE "phase_event" (
	"id" bigint DEFAULT nextval('phase_event_id') NOT NULL,
	"xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"name_id" integer NOT NULL,
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"from_state" "job_state",
	"state" "job_state" NOT NULL,
	"waiting_for" "waiting_for",
	"outcome" "outcome",
	"reason" text,
	"worker_id" integer,
	"actor" text,
	"since" timestamp with time zone
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "pruned" (
	"table_name" text PRIMARY KEY NOT NULL,
	"before" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue_limit" (
	"queue_id" integer PRIMARY KEY NOT NULL,
	"concurrency" integer,
	"rate_count" integer,
	"rate_seconds" real,
	"key_tag" text,
	"key_concurrency" integer,
	"tokens" double precision DEFAULT 0 NOT NULL,
	"refilled_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queue" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "queue_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"org_id" integer NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"paused_at" timestamp with time zone,
	"paused_by" text,
	"pause_reason" text,
	"stop_below" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "queue_org_name" UNIQUE("org_id","name")
);
--> statement-breakpoint
CREATE TABLE "replica" (
	"id" uuid PRIMARY KEY NOT NULL,
	"address" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "schedule_fire" (
	"schedule_id" uuid NOT NULL,
	"nominal_at" timestamp with time zone NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"job_id" uuid,
	"workflow_id" uuid,
	"fired_at" timestamp with time zone,
	"late_ms" double precision,
	"reason" text,
	"missed" integer,
	"asked_by" text,
	"outcome" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schedule_fire_key" PRIMARY KEY("schedule_id","nominal_at")
);
--> statement-breakpoint
CREATE TABLE "schedule" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"cron" text NOT NULL,
	"time_zone" text NOT NULL,
	"job" json,
	"workflow" json,
	"overlap" text NOT NULL,
	"catch_up" text NOT NULL,
	"catch_up_max" integer NOT NULL,
	"jitter_seconds" integer NOT NULL,
	"vendor_type" text,
	"vendor_id" text,
	"managed_by" text,
	"paused_at" timestamp with time zone,
	"paused_by" text,
	"pause_reason" text,
	"resumed_at" timestamp with time zone,
	"rule_at" timestamp with time zone DEFAULT now() NOT NULL,
	"settled_until" timestamp with time zone NOT NULL,
	"due_at" timestamp with time zone,
	"last_fire_at" timestamp with time zone,
	"revision" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"updated_by" text NOT NULL,
	CONSTRAINT "schedule_org_name" UNIQUE("org_id","name")
);
--> statement-breakpoint
CREATE TABLE "setting" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_by" text,
	"reason" text
);
--> statement-breakpoint
CREATE TABLE "shape" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "shape_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"hash" uuid NOT NULL,
	"org_id" integer NOT NULL,
	"queue_id" integer NOT NULL,
	"kind" "job_kind" NOT NULL,
	"name_id" integer,
	"requirements" jsonb NOT NULL,
	"used_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "shape_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "worker_connection" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "worker_connection_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"worker_id" integer NOT NULL,
	"org_id" integer,
	"replica_id" uuid NOT NULL,
	"connected_at" timestamp with time zone DEFAULT now() NOT NULL,
	"dropped_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"end_reason" text,
	"lease_until" timestamp with time zone NOT NULL,
	"draining" boolean DEFAULT false NOT NULL,
	"concurrency" integer NOT NULL,
	"facts" jsonb NOT NULL,
	"metrics" jsonb
);
--> statement-breakpoint
CREATE TABLE "worker" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "worker_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"uid" uuid NOT NULL,
	"org_id" integer,
	"name" text NOT NULL,
	"pool" text NOT NULL,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "worker_uid_unique" UNIQUE("uid")
);
--> statement-breakpoint
CREATE TABLE "workflow_batch" (
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"batch" text NOT NULL,
	"ids" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workflow_batch_key" PRIMARY KEY("job_id","attempt","batch")
);
--> statement-breakpoint
CREATE TABLE "workflow_job" (
	"workflow_id" uuid NOT NULL,
	"key" text NOT NULL,
	"job_id" uuid NOT NULL,
	CONSTRAINT "workflow_job_key" PRIMARY KEY("workflow_id","key")
);
--> statement-breakpoint
CREATE TABLE "workflow" (
	"id" uuid PRIMARY KEY NOT NULL,
	"org_id" integer NOT NULL,
	"name" text NOT NULL,
	"state" "workflow_state" NOT NULL,
	"open" boolean DEFAULT false NOT NULL,
	"commit_hash" text,
	"commit_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	"cancel_requested_at" timestamp with time zone,
	"reason" text
);
--> statement-breakpoint
ALTER TABLE "alert_delivery" ADD CONSTRAINT "alert_delivery_channel_id_alert_channel_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."alert_channel"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_told" ADD CONSTRAINT "alert_told_channel_id_alert_channel_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."alert_channel"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_org_id_org_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."org"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_org_id_org_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."org"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "membership" ADD CONSTRAINT "membership_org_id_org_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."org"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "membership" ADD CONSTRAINT "membership_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person_account" ADD CONSTRAINT "person_account_user_id_person_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person_session" ADD CONSTRAINT "person_session_user_id_person_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "worker_token" ADD CONSTRAINT "worker_token_org_id_org_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."org"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_fire" ADD CONSTRAINT "schedule_fire_schedule_id_schedule_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedule"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule" ADD CONSTRAINT "schedule_org_id_org_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."org"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "admin_task_running" ON "admin_task" USING btree ("kind") WHERE finished_at is null;--> statement-breakpoint
CREATE INDEX "alert_delivery_due" ON "alert_delivery" USING btree ("next_try_at") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "alert_delivery_channel" ON "alert_delivery" USING btree ("channel_id","created_at");--> statement-breakpoint
CREATE INDEX "alert_delivery_created" ON "alert_delivery" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "alert_event_org" ON "alert_event" USING btree ("org_id","id");--> statement-breakpoint
CREATE INDEX "alert_event_name" ON "alert_event" USING btree ("name_id","at");--> statement-breakpoint
CREATE INDEX "alert_event_at" ON "alert_event" USING btree ("at");--> statement-breakpoint
CREATE INDEX "alert_event_rule" ON "alert_event" USING btree ("rule","id");--> statement-breakpoint
CREATE INDEX "alert_told_channel" ON "alert_told" USING btree ("channel_id");--> statement-breakpoint
CREATE INDEX "alert_org" ON "alert" USING btree ("org_id");--> statement-breakpoint
CREATE INDEX "silence_org" ON "silence" USING btree ("org_id","ends_at");--> statement-breakpoint
CREATE INDEX "silence_ends" ON "silence" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "maintenance_run_ended" ON "maintenance_run" USING btree ("ended_at");--> statement-breakpoint
CREATE INDEX "maintenance_run_failed" ON "maintenance_run" USING btree ("ended_at") WHERE outcome = 'failed';--> statement-breakpoint
CREATE INDEX "name_expectation_org" ON "name_expectation" USING btree ("org_id");--> statement-breakpoint
CREATE INDEX "name_run_org" ON "name_run" USING btree ("org_id","last_run_at");--> statement-breakpoint
CREATE INDEX "name_run_last" ON "name_run" USING btree ("last_run_at");--> statement-breakpoint
CREATE INDEX "context_snapshot_used" ON "context_snapshot" USING btree ("used_at");--> statement-breakpoint
CREATE INDEX "counter_delta_workflow" ON "counter_delta" USING btree ("workflow_id") WHERE workflow_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "counter_queue" ON "counter" USING btree ("org_id","queue_id") WHERE queue_id <> 0;--> statement-breakpoint
CREATE INDEX "counter_ready_name" ON "counter" USING btree ("org_id","name_id") WHERE queue_id = 0 and name_id > 0 and state = 'ready';--> statement-breakpoint
CREATE INDEX "dispatched_job_ended" ON "dispatched_job" USING brin ("ended_at") WITH (autosummarize=true);--> statement-breakpoint
CREATE INDEX "edge_dependent" ON "edge" USING btree ("dependent_id");--> statement-breakpoint
CREATE INDEX "job_org_id" ON "job" USING btree ("org_id","id");--> statement-breakpoint
CREATE INDEX "lease_batch_session" ON "lease_batch" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "live_job_ready" ON "live_job" USING btree ("shape_id","ready_rank","id") WHERE ready_rank is not null;--> statement-breakpoint
CREATE INDEX "live_job_due" ON "live_job" USING btree ("due_at","id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "live_job_deadline" ON "live_job" USING btree ("deadline_at") WHERE deadline_at is not null;--> statement-breakpoint
CREATE INDEX "live_job_cancel" ON "live_job" USING btree ("cancel_requested_at") WHERE cancel_requested_at is not null;--> statement-breakpoint
CREATE INDEX "ranking_age" ON "ranking" USING btree (("day" - date '2000-01-01'));--> statement-breakpoint
CREATE INDEX "worker_sample_worker" ON "worker_sample" USING btree ("worker_id","at");--> statement-breakpoint
CREATE INDEX "worker_sample_at" ON "worker_sample" USING brin ("at") WITH (autosummarize=true);--> statement-breakpoint
CREATE INDEX "api_token_by_org" ON "api_token" USING btree ("org_id");--> statement-breakpoint
CREATE INDEX "api_token_by_person" ON "api_token" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "audit_log_by_org" ON "audit_log" USING btree ("org_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_by_object" ON "audit_log" USING btree ("object_kind","object_id","id");--> statement-breakpoint
CREATE INDEX "invitation_by_org" ON "invitation" USING btree ("org_id");--> statement-breakpoint
CREATE INDEX "invitation_by_person" ON "invitation" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "membership_by_person" ON "membership" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "person_account_by_person" ON "person_account" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "person_session_by_person" ON "person_session" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "verification_by_identifier" ON "verification" USING btree ("identifier");--> statement-breakpoint
CREATE INDEX "worker_token_by_org" ON "worker_token" USING btree ("org_id");--> statement-breakpoint
CREATE INDEX "phase_event_brin" ON "phase_event" USING brin ("id","at","job_id" uuid_minmax_multi_ops) WITH (autosummarize=true);--> statement-breakpoint
CREATE INDEX "schedule_fire_at" ON "schedule_fire" USING btree ("at");--> statement-breakpoint
CREATE INDEX "schedule_fire_open" ON "schedule_fire" USING btree ("schedule_id","nominal_at") WHERE outcome is null and state in ('waiting', 'submitted');--> statement-breakpoint
CREATE INDEX "schedule_due" ON "schedule" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "worker_connection_open" ON "worker_connection" USING btree ("worker_id") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "worker_connection_worker" ON "worker_connection" USING btree ("worker_id","connected_at");--> statement-breakpoint
CREATE INDEX "workflow_job_job" ON "workflow_job" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "workflow_org_id" ON "workflow" USING btree ("org_id","id");--> statement-breakpoint
CREATE INDEX "workflow_unfinished" ON "workflow" USING btree ("id") WHERE finished_at is null;--> statement-breakpoint
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
ALTER TABLE "decision" ALTER COLUMN "jobs" SET STORAGE EXTERNAL, ALTER COLUMN "terms" SET STORAGE EXTERNAL, ALTER COLUMN "candidates" SET STORAGE EXTERNAL, ALTER COLUMN "candidate_scores" SET STORAGE EXTERNAL, ALTER COLUMN "others" SET STORAGE EXTERNAL, ALTER COLUMN "considered" SET STORAGE EXTERNAL, ALTER COLUMN "worker_context" SET STORAGE EXTERNAL, ALTER COLUMN "job_context" SET STORAGE EXTERNAL, ALTER COLUMN "instance_context" SET STORAGE EXTERNAL;--> statement-breakpoint
CREATE VIEW "decided_job" AS SELECT d.beat, p.place::smallint AS beat_place, d.jobs[p.place] AS job_id, d.rules_version, d.terms[(p.place - 1) * d.terms_each + 1 : p.place * d.terms_each] AS terms, ARRAY(SELECT CASE WHEN c.at > 0 THEN d.jobs[c.at] ELSE d.others[-c.at] END FROM unnest(d.candidates[p.place * 3 - 2 : p.place * 3]) WITH ORDINALITY AS c(at, n) WHERE c.at <> 0 ORDER BY c.n) AS candidates, ARRAY(SELECT c.score FROM unnest(d.candidates[p.place * 3 - 2 : p.place * 3], d.candidate_scores[p.place * 3 - 2 : p.place * 3]) WITH ORDINALITY AS c(at, score, n) WHERE c.at <> 0 ORDER BY c.n) AS candidate_scores, d.considered[p.place] AS considered, d.contexts[d.worker_context[p.place]] AS worker_context, d.contexts[d.job_context[p.place]] AS job_context, d.contexts[d.instance_context[p.place]] AS instance_context FROM "decision" d CROSS JOIN LATERAL generate_series(1, cardinality(d.jobs)) AS p(place);--> statement-breakpoint
ALTER SEQUENCE "phase_event_id" OWNED BY "phase_event"."id";--> statement-breakpoint
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$;--> statement-breakpoint
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();--> statement-breakpoint
CREATE VIEW "metric_rollup" AS SELECT m.key AS metric, r.* FROM (SELECT 'minute' AS granularity, * FROM "rollup_minute" UNION ALL SELECT 'hour', * FROM "rollup_hour" UNION ALL SELECT 'day', * FROM "rollup_day" UNION ALL SELECT 'week', * FROM "rollup_week") r JOIN "metric" m ON m.id = r.metric_id;--> statement-breakpoint
ALTER TABLE "rollup_day" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "rollup_week" SET (fillfactor = 70);--> statement-breakpoint
INSERT INTO "pruned" ("table_name", "before") SELECT t, 'epoch' FROM unnest(ARRAY['job', 'decision', 'dispatched_job', 'job_end', 'phase_event', 'worker_sample', 'instance_sample', 'rollup_minute', 'rollup_hour']) AS t;--> statement-breakpoint
INSERT INTO "org" ("name") VALUES ('default');--> statement-breakpoint
INSERT INTO "queue" ("org_id", "name") SELECT "id", 'default' FROM "org" WHERE "name" = 'default';
