-- market.key dd3bc004598b94dc3479cbc07958de674d8a88423b343280f11790b3e5594311
-- access key GLWYV0A54YGM7KSCWVM1 tRNL7vxwejjvKZeyMT0iTxF4x7SdCM21ZNKTCOPA
BEGIN TRANSACTION;
CREATE TABLE access_key (
	access_key VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	secret VARCHAR(128) NOT NULL, 
	created_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	CONSTRAINT pk_access_key PRIMARY KEY (access_key)
);
INSERT INTO "access_key" VALUES('GLWYV0A54YGM7KSCWVM1','ABD2LCPKJCWRP6','sealed:YynLrchm1SfEVaDq1-o3wMFIvueS1bp6E0iMdrI74oJ7Qq-dhABDNMhvMSpzroL5Uz5YNcdJ3HEBvUj80ZdLsSybAjkaeTaG',1795330800000,NULL);
CREATE TABLE assignment (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	hit_id VARCHAR(64) NOT NULL, 
	type_id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	accepted_at BIGINT NOT NULL, 
	deadline BIGINT NOT NULL, 
	submitted_at BIGINT, 
	auto_approve_at BIGINT, 
	approved_at BIGINT, 
	rejected_at BIGINT, 
	ended_at BIGINT, 
	reward_cents BIGINT DEFAULT '0' NOT NULL, 
	fee_cents BIGINT DEFAULT '0' NOT NULL, 
	answer TEXT, 
	feedback TEXT, 
	draft TEXT, 
	draft_at BIGINT, 
	appeal TEXT, 
	appeal_at BIGINT, entry_seq INTEGER, appeal_by VARCHAR(128), appeal_answer TEXT, appeal_decided_at BIGINT, 
	CONSTRAINT pk_assignment PRIMARY KEY (seq), 
	CONSTRAINT uq_assignment_id UNIQUE (id)
);
INSERT INTO "assignment" VALUES(1,'3PMA2YPZM0VTMRLJ61TA1PMY5GA7JJ','3KUOUQLH6JO6S0VG4N5JCQJ82J0NMS','3NI38L34DKDZIYQCDG1RWC92VW5G5Z','ABD2LCPKJCWRP6','AVRN3W7LI7O4OP','Approved',1795330800000,1795331400000,1795330890000,1797922890000,1795330890000,NULL,NULL,15,0,'<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>q</QuestionIdentifier><FreeText>1</FreeText></Answer></QuestionFormAnswers>',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "assignment" VALUES(2,'3K1IQ7IV357OO4A657AWF1RAHW2R5U','34LI7QXZZ47YOB1UYXUBZZDX1PDZP0','3NI38L34DKDZIYQCDG1RWC92VW5G5Z','ABD2LCPKJCWRP6','AVRN3W7LI7O4OP','Submitted',1795330890000,1795331490000,1795330890000,1797922890000,NULL,NULL,NULL,15,0,'<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>q</QuestionIdentifier><FreeText>2</FreeText></Answer></QuestionFormAnswers>',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE bonus (
	seq INTEGER NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	assignment_id VARCHAR(64) NOT NULL, 
	hit_id VARCHAR(64) NOT NULL, 
	amount_cents BIGINT DEFAULT '0' NOT NULL, 
	fee_cents BIGINT DEFAULT '0' NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	granted_at BIGINT NOT NULL, 
	CONSTRAINT pk_bonus PRIMARY KEY (seq)
);
INSERT INTO "bonus" VALUES(1,'ABD2LCPKJCWRP6','AVRN3W7LI7O4OP','3PMA2YPZM0VTMRLJ61TA1PMY5GA7JJ','3KUOUQLH6JO6S0VG4N5JCQJ82J0NMS',10,0,'kept',1795330890000);
CREATE TABLE hit (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	type_id VARCHAR(64) NOT NULL, 
	question TEXT DEFAULT '' NOT NULL, 
	layout_id VARCHAR(64), 
	annotation TEXT, 
	max_assignments BIGINT DEFAULT '0' NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	reviewing BOOLEAN DEFAULT 0 NOT NULL, 
	held BIGINT DEFAULT '0' NOT NULL, 
	submitted BIGINT DEFAULT '0' NOT NULL, 
	approved BIGINT DEFAULT '0' NOT NULL, 
	rejected BIGINT DEFAULT '0' NOT NULL, 
	touched BOOLEAN DEFAULT 0 NOT NULL, 
	expiry_noted BOOLEAN DEFAULT 0 NOT NULL, 
	fee_cents BIGINT DEFAULT '0' NOT NULL, 
	hold_cents BIGINT DEFAULT '0' NOT NULL, 
	reviewable_at BIGINT, 
	disposed_at BIGINT, 
	assignment_policy TEXT, 
	hit_policy TEXT, 
	CONSTRAINT pk_hit PRIMARY KEY (seq), 
	CONSTRAINT uq_hit_id UNIQUE (id)
);
INSERT INTO "hit" VALUES(1,'3KUOUQLH6JO6S0VG4N5JCQJ82J0NMS','ABD2LCPKJCWRP6','3NI38L34DKDZIYQCDG1RWC92VW5G5Z','<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[<form action=''https://www.mturk.com/mturk/externalSubmit''><input name=''face.k1''></form>]]></HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>',NULL,NULL,2,1795330800000,1795334400000,'Assignable',0,0,0,1,0,1,0,0,15,NULL,NULL,NULL,NULL);
INSERT INTO "hit" VALUES(2,'34LI7QXZZ47YOB1UYXUBZZDX1PDZP0','ABD2LCPKJCWRP6','3NI38L34DKDZIYQCDG1RWC92VW5G5Z','<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[<form action=''https://www.mturk.com/mturk/externalSubmit''><input name=''face.k1''></form>]]></HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>',NULL,NULL,1,1795330800000,1795334400000,'Reviewable',0,0,1,0,0,1,0,0,15,1795330890000,NULL,NULL,NULL);
INSERT INTO "hit" VALUES(3,'3WKXI93XNNED4Q02DK12Y39660MNZJ','ABD2LCPKJCWRP6','3PYIX87O6XIJ9T450U58189RBVCN61','<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[<form action=''https://www.mturk.com/mturk/externalSubmit''><input name=''face.k1''></form>]]></HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>',NULL,NULL,1,1795330800000,1795334400000,'Assignable',0,0,0,0,0,0,0,0,15,NULL,NULL,NULL,NULL);
CREATE TABLE hit_type (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	group_id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	key_hash VARCHAR(64) NOT NULL, 
	title TEXT DEFAULT '' NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	keywords TEXT DEFAULT '' NOT NULL, 
	reward_cents BIGINT DEFAULT '0' NOT NULL, 
	duration_s BIGINT DEFAULT '0' NOT NULL, 
	auto_approval_s BIGINT DEFAULT '0' NOT NULL, 
	requirements TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, open_hits BIGINT DEFAULT '0' NOT NULL, newest_at BIGINT DEFAULT '0' NOT NULL, last_at BIGINT DEFAULT '0' NOT NULL, median_ms BIGINT, words TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_hit_type PRIMARY KEY (seq), 
	CONSTRAINT uq_hit_type_group_id UNIQUE (group_id), 
	CONSTRAINT uq_hit_type_id UNIQUE (id), 
	CONSTRAINT uq_hit_type_requester_id UNIQUE (requester_id, key_hash)
);
INSERT INTO "hit_type" VALUES(1,'3NI38L34DKDZIYQCDG1RWC92VW5G5Z','3VUFSUQXTRVW2YZTOCGYEZ32QZKST4','ABD2LCPKJCWRP6','ce7a67ab99717cd55e01a46718f2240791f1ca3f7f10f296893348b53e3f56aa','Faces of A','Look at 24 faces.','faces, images',15,600,2592000,'[]',1795330800000,1,1795330800000,1795334400000,45000,'faces of a look at 24 faces. faces, images ada');
INSERT INTO "hit_type" VALUES(2,'3PYIX87O6XIJ9T450U58189RBVCN61','3F0PTNAN3Q7AYA04YAEEXSKOD6DNZQ','ABD2LCPKJCWRP6','241d899bae19b86515358aeff1b58f1081aafe96942030cfa2e9c2b7c141150f','Faces of B','Look at 24 faces.','faces, images',15,600,2592000,'[]',1795330800000,1,1795330800000,1795334400000,NULL,'faces of b look at 24 faces. faces, images ada');
CREATE TABLE hit_type_requirement (
	hit_type_id VARCHAR(64) NOT NULL, 
	qualification_type_id VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_hit_type_requirement PRIMARY KEY (hit_type_id, qualification_type_id)
);
CREATE TABLE invite (
	seq INTEGER NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	note TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	uses_left BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_invite PRIMARY KEY (seq), 
	CONSTRAINT uq_invite_token_hash UNIQUE (token_hash)
);
INSERT INTO "invite" VALUES(1,'5550df4f7f0567577470b397b835b596bfac6703004ccb24197fc19736a5536b','',1795330800000,1796540400000,0);
CREATE TABLE late_submission (
	seq INTEGER NOT NULL, 
	assignment_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	fields TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_late_submission PRIMARY KEY (seq)
);
CREATE TABLE layout (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	html TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_layout PRIMARY KEY (seq), 
	CONSTRAINT uq_layout_id UNIQUE (id)
);
CREATE TABLE ledger (
	seq INTEGER NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	cents BIGINT DEFAULT '0' NOT NULL, 
	assignment_id VARCHAR(64), 
	CONSTRAINT pk_ledger PRIMARY KEY (seq)
);
CREATE TABLE marketplace_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT marketplace_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "marketplace_version" VALUES('0005');
CREATE TABLE message (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	sender TEXT DEFAULT '' NOT NULL, 
	subject TEXT DEFAULT '' NOT NULL, 
	text TEXT DEFAULT '' NOT NULL, 
	sent_at BIGINT NOT NULL, 
	read_at BIGINT, 
	CONSTRAINT pk_message PRIMARY KEY (seq), 
	CONSTRAINT uq_message_id UNIQUE (id)
);
INSERT INTO "message" VALUES(1,'3US8B37V9B5RF8YUC51P3D6YTFNW9V','AVRN3W7LI7O4OP','Ada','You received a bonus of $0.10','kept',1795330890000,NULL);
INSERT INTO "message" VALUES(2,'3WL1YCUS7B3CB52EF3YU9D93691Q2S','AVRN3W7LI7O4OP','Ada','You received a qualification','Ada has granted you the qualification “Trained” with the value 7.',1795330890000,NULL);
CREATE TABLE notification_spec (
	hit_type_id VARCHAR(64) NOT NULL, 
	destination TEXT DEFAULT '' NOT NULL, 
	transport VARCHAR(16) NOT NULL, 
	event_types TEXT DEFAULT '' NOT NULL, 
	active BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_notification_spec PRIMARY KEY (hit_type_id)
);
CREATE TABLE outbox (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	hit_type_id VARCHAR(64) NOT NULL, 
	destination TEXT DEFAULT '' NOT NULL, 
	transport VARCHAR(16) NOT NULL, 
	body TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts BIGINT DEFAULT '0' NOT NULL, 
	next_at BIGINT NOT NULL, 
	last_error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (seq), 
	CONSTRAINT uq_outbox_id UNIQUE (id)
);
CREATE TABLE qualification (
	seq INTEGER NOT NULL, 
	type_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	value BIGINT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	granted_at BIGINT NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_qualification PRIMARY KEY (seq), 
	CONSTRAINT uq_qualification_holder UNIQUE (type_id, worker_id)
);
INSERT INTO "qualification" VALUES(1,'3MOF95PMA5UWJN2OT9D6OPLSMGKEGH','AVRN3W7LI7O4OP',7,'Granted',1795330890000,'');
CREATE TABLE qualification_request (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	type_id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	answer TEXT, 
	begun_at BIGINT NOT NULL, 
	due_at BIGINT, 
	submitted_at BIGINT, 
	reason TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_qualification_request PRIMARY KEY (seq), 
	CONSTRAINT uq_qualification_request_id UNIQUE (id)
);
CREATE TABLE qualification_type (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	keywords TEXT DEFAULT '' NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	test TEXT, 
	answer_key TEXT, 
	test_duration_s BIGINT, 
	retry_delay_s BIGINT, 
	auto_granted BOOLEAN DEFAULT 0 NOT NULL, 
	auto_granted_value BIGINT, 
	created_at BIGINT NOT NULL, 
	deleted_at BIGINT, 
	CONSTRAINT pk_qualification_type PRIMARY KEY (seq), 
	CONSTRAINT uq_qualification_type_id UNIQUE (id)
);
INSERT INTO "qualification_type" VALUES(1,'3MOF95PMA5UWJN2OT9D6OPLSMGKEGH','ABD2LCPKJCWRP6','Trained','','d','Active',NULL,NULL,NULL,NULL,0,NULL,1795330890000,NULL);
CREATE TABLE recruit_entry (
	seq INTEGER NOT NULL, 
	study_key VARCHAR(64) NOT NULL, 
	participant VARCHAR(128) NOT NULL, 
	session VARCHAR(128) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	group_id VARCHAR(64) DEFAULT '' NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	outcome VARCHAR(16), 
	code VARCHAR(32) DEFAULT '' NOT NULL, 
	landed_at BIGINT NOT NULL, 
	consented_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	redeemed_at BIGINT, 
	panel_state VARCHAR(32) DEFAULT '' NOT NULL, 
	panel_at BIGINT, 
	CONSTRAINT pk_recruit_entry PRIMARY KEY (seq)
);
CREATE TABLE recruit_event (
	event_id VARCHAR(128) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	at BIGINT NOT NULL, 
	received_at BIGINT NOT NULL, 
	CONSTRAINT pk_recruit_event PRIMARY KEY (event_id)
);
CREATE TABLE recruit_payment (
	seq INTEGER NOT NULL, 
	study_key VARCHAR(64) NOT NULL, 
	entry_seq INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	amount_cents BIGINT DEFAULT '0' NOT NULL, 
	fee_cents BIGINT DEFAULT '0' NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	ref VARCHAR(64) DEFAULT '' NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	intent_at BIGINT NOT NULL, 
	paying_at BIGINT, 
	done_at BIGINT, 
	pay_list BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_recruit_payment PRIMARY KEY (seq)
);
CREATE TABLE recruit_study (
	seq INTEGER NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	source VARCHAR(64) NOT NULL, 
	panel_id VARCHAR(64) DEFAULT '' NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	terms TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	panel_at BIGINT, 
	CONSTRAINT pk_recruit_study PRIMARY KEY (seq), 
	CONSTRAINT uq_recruit_study_key UNIQUE ("key")
);
CREATE TABLE request_token (
	requester_id VARCHAR(64) NOT NULL, 
	operation VARCHAR(64) NOT NULL, 
	token VARCHAR(64) NOT NULL, 
	object_id VARCHAR(64) NOT NULL, 
	request_id VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_request_token PRIMARY KEY (requester_id, operation, token)
);
INSERT INTO "request_token" VALUES('ABD2LCPKJCWRP6','SendBonus','t','3PMA2YPZM0VTMRLJ61TA1PMY5GA7JJ','857a3646-f8db-422b-8f33-733cccfa048e',1795330890000);
CREATE TABLE requester (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	created_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	balance_cents BIGINT DEFAULT '0' NOT NULL, 
	hold_cents BIGINT DEFAULT '0' NOT NULL, 
	approved BIGINT DEFAULT '0' NOT NULL, 
	rejected BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_requester PRIMARY KEY (seq), 
	CONSTRAINT uq_requester_id UNIQUE (id), 
	CONSTRAINT uq_requester_name UNIQUE (name)
);
INSERT INTO "requester" VALUES(1,'ABD2LCPKJCWRP6','Ada',1795330800000,NULL,0,0,1,0);
CREATE TABLE review_action (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	hit_id VARCHAR(64) NOT NULL, 
	level VARCHAR(16) NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	target_id VARCHAR(64) NOT NULL, 
	target_type VARCHAR(16) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	completed_at BIGINT, 
	result TEXT DEFAULT '' NOT NULL, 
	error_code TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_review_action PRIMARY KEY (seq), 
	CONSTRAINT uq_review_action_id UNIQUE (id)
);
CREATE TABLE review_result (
	seq INTEGER NOT NULL, 
	hit_id VARCHAR(64) NOT NULL, 
	level VARCHAR(16) NOT NULL, 
	action_id VARCHAR(64) NOT NULL, 
	subject_id VARCHAR(64) NOT NULL, 
	subject_type VARCHAR(16) NOT NULL, 
	question_id TEXT, 
	"key" VARCHAR(64) NOT NULL, 
	value TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_review_result PRIMARY KEY (seq)
);
CREATE TABLE session (
	token_hash VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_session PRIMARY KEY (token_hash)
);
INSERT INTO "session" VALUES('f362680a658a6168c2a64da174fa5e171204d81fb6af3bef133264a44d0c72ec','AVRN3W7LI7O4OP',1795330800000,1797922800000);
CREATE TABLE sign_in_failure (
	seq INTEGER NOT NULL, 
	subject VARCHAR(160) NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_sign_in_failure PRIMARY KEY (seq)
);
CREATE TABLE worker (
	seq INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	name VARCHAR(64), 
	name_key VARCHAR(64), 
	password TEXT DEFAULT '' NOT NULL, 
	country TEXT DEFAULT '' NOT NULL, 
	subdivision TEXT DEFAULT '' NOT NULL, 
	masters BOOLEAN DEFAULT 0 NOT NULL, 
	adult BOOLEAN DEFAULT 0 NOT NULL, 
	joined_at BIGINT NOT NULL, 
	left_at BIGINT, 
	submitted BIGINT DEFAULT '0' NOT NULL, 
	approved BIGINT DEFAULT '0' NOT NULL, 
	rejected BIGINT DEFAULT '0' NOT NULL, 
	returned BIGINT DEFAULT '0' NOT NULL, 
	abandoned BIGINT DEFAULT '0' NOT NULL, source VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_worker PRIMARY KEY (seq), 
	CONSTRAINT uq_worker_id UNIQUE (id), 
	CONSTRAINT uq_worker_name_key UNIQUE (name_key)
);
INSERT INTO "worker" VALUES(1,'AVRN3W7LI7O4OP','ann','ann','QFeXLz/RPw/MPHQ0/GfweA==$GHWFmEA5i83cR9CTbTNd9UQzW0Tr3qsu94hUoQQaXxZIvKwXijtApOb67MBfh1SDB/R87bSK7vTAyO0kDjvoHg==','','',0,0,1795330800000,NULL,2,1,0,0,0,'');
CREATE TABLE worker_block (
	seq INTEGER NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_worker_block PRIMARY KEY (seq), 
	CONSTRAINT uq_worker_block_requester_id UNIQUE (requester_id, worker_id)
);
CREATE INDEX ix_assignment_auto ON assignment (state, auto_approve_at);
CREATE INDEX ix_assignment_deadline ON assignment (state, deadline);
CREATE INDEX ix_assignment_hit ON assignment (hit_id, state, submitted_at);
CREATE INDEX ix_assignment_type ON assignment (type_id, submitted_at);
CREATE INDEX ix_assignment_worker ON assignment (worker_id, state, seq);
CREATE UNIQUE INDEX uq_assignment_once ON assignment (hit_id, worker_id) WHERE state IN ('Accepted', 'Submitted', 'Approved', 'Rejected');
CREATE INDEX ix_bonus_assignment_id ON bonus (assignment_id);
CREATE INDEX ix_bonus_hit_id ON bonus (hit_id);
CREATE INDEX ix_bonus_worker ON bonus (worker_id, granted_at);
CREATE INDEX ix_hit_disposal ON hit (status, reviewable_at);
CREATE INDEX ix_hit_expiry ON hit (expiry_noted, expires_at);
CREATE INDEX ix_hit_list ON hit (requester_id, seq);
CREATE INDEX ix_hit_open ON hit (type_id, status, seq);
CREATE INDEX ix_hit_owner ON hit (requester_id, status, seq);
CREATE INDEX ix_hit_type_requirement_qualification_type_id ON hit_type_requirement (qualification_type_id);
CREATE INDEX ix_ledger_requester ON ledger (requester_id, seq);
CREATE INDEX ix_message_worker ON message (worker_id, seq);
CREATE INDEX ix_outbox_due ON outbox (state, next_at);
CREATE INDEX ix_qualification_worker_id ON qualification (worker_id);
CREATE INDEX ix_qualification_request_type_id ON qualification_request (type_id);
CREATE INDEX ix_qualification_request_worker ON qualification_request (worker_id, type_id, seq);
CREATE INDEX ix_qualification_type_requester_id ON qualification_type (requester_id);
CREATE INDEX ix_review_action_hit ON review_action (hit_id, level, seq);
CREATE INDEX ix_review_result_hit ON review_result (hit_id, level, seq);
CREATE INDEX ix_review_result_subject ON review_result (subject_id, "key");
CREATE INDEX ix_session_worker_id ON session (worker_id);
CREATE INDEX ix_sign_in_failure ON sign_in_failure (subject, at);
CREATE INDEX ix_hit_type_open ON hit_type (open_hits);
CREATE INDEX ix_assignment_entry ON assignment (entry_seq);
CREATE INDEX ix_recruit_study_panel_id ON recruit_study (panel_id);
CREATE INDEX ix_recruit_entry_session ON recruit_entry (session);
CREATE INDEX ix_recruit_entry_worker_id ON recruit_entry (worker_id);
CREATE UNIQUE INDEX uq_recruit_entry_person ON recruit_entry (study_key, participant);
CREATE UNIQUE INDEX uq_recruit_entry_session ON recruit_entry (study_key, session);
CREATE INDEX ix_recruit_payment_study_key ON recruit_payment (study_key);
CREATE UNIQUE INDEX uq_recruit_payment_once ON recruit_payment (entry_seq, kind);
COMMIT;
