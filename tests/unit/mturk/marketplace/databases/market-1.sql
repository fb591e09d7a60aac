-- market.key f40736f9c4ebef5addf1b99d56ff4efaf5f532b4e51040e877e6a7b9e241a07f
-- access key GLWYNPWNKF02XKAPKWCP zFviKTNrvIKNg3g25wY7aRXDCODFVhGL5scJiE8j
BEGIN TRANSACTION;
CREATE TABLE access_key (
	access_key VARCHAR(64) NOT NULL, 
	requester_id VARCHAR(64) NOT NULL, 
	secret VARCHAR(128) NOT NULL, 
	created_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	CONSTRAINT pk_access_key PRIMARY KEY (access_key)
);
INSERT INTO "access_key" VALUES('GLWYNPWNKF02XKAPKWCP','ALK9Q3UHBXH929','zFviKTNrvIKNg3g25wY7aRXDCODFVhGL5scJiE8j',1795330800000,NULL);
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
	appeal_at BIGINT, 
	CONSTRAINT pk_assignment PRIMARY KEY (seq), 
	CONSTRAINT uq_assignment_id UNIQUE (id)
);
INSERT INTO "assignment" VALUES(1,'39HF5B0SK0ZVTKQM0P33G0YR7M4ULN','3AVIQ8PZ485JJJJWTA9U1OUK1W45SI','3FDWU6KDMSU6JJ5099J8Q6W8GDLQQ3','ALK9Q3UHBXH929','AJ3EON1NXVY8PX','Approved',1795330800000,1795331400000,1795330890000,1797922890000,1795330890000,NULL,NULL,15,0,'<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>q</QuestionIdentifier><FreeText>1</FreeText></Answer></QuestionFormAnswers>',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "assignment" VALUES(2,'34MZP0GGLMO95ZJ8D8R5DHC6ZLIIMT','3WF80HML54JWLUNYI1WFODDHYH2SSI','3FDWU6KDMSU6JJ5099J8Q6W8GDLQQ3','ALK9Q3UHBXH929','AJ3EON1NXVY8PX','Submitted',1795330890000,1795331490000,1795330890000,1797922890000,NULL,NULL,NULL,15,0,'<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>q</QuestionIdentifier><FreeText>2</FreeText></Answer></QuestionFormAnswers>',NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "bonus" VALUES(1,'ALK9Q3UHBXH929','AJ3EON1NXVY8PX','39HF5B0SK0ZVTKQM0P33G0YR7M4ULN','3AVIQ8PZ485JJJJWTA9U1OUK1W45SI',10,0,'kept',1795330890000);
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
INSERT INTO "hit" VALUES(1,'3AVIQ8PZ485JJJJWTA9U1OUK1W45SI','ALK9Q3UHBXH929','3FDWU6KDMSU6JJ5099J8Q6W8GDLQQ3','<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[<form action=''https://www.mturk.com/mturk/externalSubmit''><input name=''face.k1''></form>]]></HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>',NULL,NULL,2,1795330800000,1795334400000,'Assignable',0,0,0,1,0,1,0,0,15,NULL,NULL,NULL,NULL);
INSERT INTO "hit" VALUES(2,'3WF80HML54JWLUNYI1WFODDHYH2SSI','ALK9Q3UHBXH929','3FDWU6KDMSU6JJ5099J8Q6W8GDLQQ3','<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[<form action=''https://www.mturk.com/mturk/externalSubmit''><input name=''face.k1''></form>]]></HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>',NULL,NULL,1,1795330800000,1795334400000,'Reviewable',0,0,1,0,0,1,0,0,15,1795330890000,NULL,NULL,NULL);
INSERT INTO "hit" VALUES(3,'344A4QXD0KG3V71UWSA9G6KH5IC0NG','ALK9Q3UHBXH929','3X80HMQLB69IBYA03L327O08RCVPXJ','<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[<form action=''https://www.mturk.com/mturk/externalSubmit''><input name=''face.k1''></form>]]></HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>',NULL,NULL,1,1795330800000,1795334400000,'Assignable',0,0,0,0,0,0,0,0,15,NULL,NULL,NULL,NULL);
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
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_hit_type PRIMARY KEY (seq), 
	CONSTRAINT uq_hit_type_group_id UNIQUE (group_id), 
	CONSTRAINT uq_hit_type_id UNIQUE (id), 
	CONSTRAINT uq_hit_type_requester_id UNIQUE (requester_id, key_hash)
);
INSERT INTO "hit_type" VALUES(1,'3FDWU6KDMSU6JJ5099J8Q6W8GDLQQ3','3G9K7XCTBWY4797P0TTYBLH1BX8K6A','ALK9Q3UHBXH929','ce7a67ab99717cd55e01a46718f2240791f1ca3f7f10f296893348b53e3f56aa','Faces of A','Look at 24 faces.','faces, images',15,600,2592000,'[]',1795330800000);
INSERT INTO "hit_type" VALUES(2,'3X80HMQLB69IBYA03L327O08RCVPXJ','3QBCXKIW76OKNHFS7YY75T846M2L2N','ALK9Q3UHBXH929','241d899bae19b86515358aeff1b58f1081aafe96942030cfa2e9c2b7c141150f','Faces of B','Look at 24 faces.','faces, images',15,600,2592000,'[]',1795330800000);
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
INSERT INTO "invite" VALUES(1,'ff9594328efe6fd096f333f3b220c4f462d0ae8dcfa8e2e38381a13261636a11','',1795330800000,1796540400000,0);
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
INSERT INTO "marketplace_version" VALUES('0001');
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
INSERT INTO "message" VALUES(1,'30CTURXKTTIXNBTM9TRL64TW1P0O2U','AJ3EON1NXVY8PX','Ada','You received a bonus of $0.10','kept',1795330890000,NULL);
INSERT INTO "message" VALUES(2,'3UB2MJMR1DZFJUL70IX8WY8O250OUY','AJ3EON1NXVY8PX','Ada','You received a qualification','Ada has granted you the qualification “Trained” with the value 7.',1795330890000,NULL);
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
INSERT INTO "qualification" VALUES(1,'318B2MRO8KXW1CVPUV30AYAJ12Q5N6','AJ3EON1NXVY8PX',7,'Granted',1795330890000,'');
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
INSERT INTO "qualification_type" VALUES(1,'318B2MRO8KXW1CVPUV30AYAJ12Q5N6','ALK9Q3UHBXH929','Trained','','d','Active',NULL,NULL,NULL,NULL,0,NULL,1795330890000,NULL);
CREATE TABLE request_token (
	requester_id VARCHAR(64) NOT NULL, 
	operation VARCHAR(64) NOT NULL, 
	token VARCHAR(64) NOT NULL, 
	object_id VARCHAR(64) NOT NULL, 
	request_id VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_request_token PRIMARY KEY (requester_id, operation, token)
);
INSERT INTO "request_token" VALUES('ALK9Q3UHBXH929','SendBonus','t','39HF5B0SK0ZVTKQM0P33G0YR7M4ULN','751b878d-e321-4b72-a282-57e756c4a2d4',1795330890000);
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
INSERT INTO "requester" VALUES(1,'ALK9Q3UHBXH929','Ada',1795330800000,NULL,0,0,1,0);
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
INSERT INTO "session" VALUES('169620a379f9de923e0881913f81d2c2e221f3c11e07b9196eb04a496eb13538','AJ3EON1NXVY8PX',1795330800000,1797922800000);
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
	abandoned BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_worker PRIMARY KEY (seq), 
	CONSTRAINT uq_worker_id UNIQUE (id), 
	CONSTRAINT uq_worker_name_key UNIQUE (name_key)
);
INSERT INTO "worker" VALUES(1,'AJ3EON1NXVY8PX','ann','ann','84/nT4kFJ5XG94JcXHXXpQ==$e/oJQhKN+HX3zt4qzB9dGLEqViqIAwAUoEZxBgAqCaGVEM7aNElCZiW1PXQgDvdBOyQPKCZmxW7c3BLHqblYmQ==','','',0,0,1795330800000,NULL,2,1,0,0,0);
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
COMMIT;
