PRAGMA user_version = 8;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0008');
CREATE TABLE assignment (
	state_key VARCHAR(255) NOT NULL, 
	assignment_id VARCHAR(64) NOT NULL, 
	batch_key VARCHAR(100) NOT NULL, 
	hit_key VARCHAR(100) NOT NULL, 
	hit_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	answer_xml TEXT NOT NULL, 
	accepted_at DATETIME NOT NULL, 
	submitted_at DATETIME NOT NULL, 
	auto_approval_at DATETIME, 
	collected_at DATETIME NOT NULL, 
	feedback TEXT NOT NULL, 
	PRIMARY KEY (state_key, assignment_id), 
	FOREIGN KEY(state_key, batch_key, hit_key) REFERENCES hit (state_key, batch_key, hit_key)
);
INSERT INTO "assignment" VALUES('local','3ASSIGN00000000000000000000000','abc123-a-usable-r1-0001','abc123-a-usable-r1-0001-0001','3HIT00000000000000000000000000','AANN','Approved','<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>comment</QuestionIdentifier><FreeText>done</FreeText></Answer></QuestionFormAnswers>','2026-11-22 09:00:00.000000','2026-11-22 09:00:40.000000',NULL,'2026-11-22 12:45:56.451794','');
INSERT INTO "assignment" VALUES('local','3ASSIGN00000000000000000000001','abc123-a-usable-r1-0001','abc123-a-usable-r1-0001-0001','3HIT00000000000000000000000000','ABEN','Approved','<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>comment</QuestionIdentifier><FreeText>done</FreeText></Answer></QuestionFormAnswers>','2026-11-22 09:00:00.000000','2026-11-22 09:00:41.000000',NULL,'2026-11-22 12:45:56.459174','');
INSERT INTO "assignment" VALUES('local','3ASSIGN00000000000000000000002','abc123-a-usable-r1-0001','abc123-a-usable-r1-0001-0001','3HIT00000000000000000000000000','ACARA','Approved','<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>comment</QuestionIdentifier><FreeText>done</FreeText></Answer></QuestionFormAnswers>','2026-11-22 09:00:00.000000','2026-11-22 09:00:42.000000',NULL,'2026-11-22 12:45:56.459475','');
CREATE TABLE batch (
	state_key VARCHAR(255) NOT NULL, 
	batch_key VARCHAR(100) NOT NULL, 
	title TEXT NOT NULL, 
	description TEXT NOT NULL, 
	keywords TEXT NOT NULL, 
	reward VARCHAR(20) NOT NULL, 
	max_assignments INTEGER NOT NULL, 
	lifetime_seconds INTEGER NOT NULL, 
	duration_seconds INTEGER NOT NULL, 
	auto_approval_seconds INTEGER NOT NULL, 
	budget VARCHAR(20), 
	price VARCHAR(20) NOT NULL, 
	created_at DATETIME NOT NULL, 
	cancelled_at DATETIME, 
	PRIMARY KEY (state_key, batch_key)
);
INSERT INTO "batch" VALUES('local','abc123-a-usable-r1-0001','Keep or reject','Look','faces','0.15',3,259200,1800,259200,NULL,'0.90','2026-11-22 12:45:56.341434',NULL);
CREATE TABLE batch_plan (
	batch_key VARCHAR(64) NOT NULL, 
	market TEXT NOT NULL, 
	side VARCHAR(1) NOT NULL, 
	question VARCHAR(16) NOT NULL, 
	round INTEGER NOT NULL, 
	votes INTEGER NOT NULL, 
	reward VARCHAR(16) NOT NULL, 
	seconds INTEGER NOT NULL, 
	excluded TEXT NOT NULL, 
	audit BOOLEAN NOT NULL, 
	links_until VARCHAR(40) NOT NULL, 
	planned_at VARCHAR(40) NOT NULL, 
	published_at VARCHAR(40), page VARCHAR(12) DEFAULT 'usable' NOT NULL, 
	PRIMARY KEY (batch_key)
);
INSERT INTO "batch_plan" VALUES('abc123-a-usable-r1-0001','local','a','usable',1,3,'0.15',48,'[]',0,'2026-11-22T09:00:00+00:00','2026-11-22T09:00:00+00:00','2026-11-22T09:00:00+00:00','usable');
CREATE TABLE cell_count (
	side VARCHAR(1) NOT NULL, 
	across INTEGER NOT NULL, 
	down INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	faces INTEGER NOT NULL, 
	PRIMARY KEY (side, across, down, status)
);
INSERT INTO "cell_count" VALUES('a',79,79,'disputed',1);
INSERT INTO "cell_count" VALUES('a',79,79,'rejected',1);
INSERT INTO "cell_count" VALUES('b',79,79,'disputed',1);
INSERT INTO "cell_count" VALUES('b',79,79,'rejected',1);
CREATE TABLE decided_former (
	step_id VARCHAR(64) NOT NULL, 
	face_id VARCHAR(32) NOT NULL, 
	former TEXT NOT NULL, 
	PRIMARY KEY (step_id, face_id), 
	FOREIGN KEY(step_id) REFERENCES decided_step (id)
);
CREATE TABLE decided_step (
	id VARCHAR(64) NOT NULL, 
	person TEXT NOT NULL, 
	decided_at VARCHAR(40) NOT NULL, 
	label VARCHAR(32) NOT NULL, 
	reason VARCHAR(32), 
	note TEXT NOT NULL, 
	undone_at VARCHAR(40), 
	PRIMARY KEY (id)
);
CREATE TABLE decision (
	run_id INTEGER NOT NULL, 
	face_id VARCHAR(32) NOT NULL, 
	question VARCHAR(16) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	label VARCHAR(32), 
	reason VARCHAR(32), 
	posterior FLOAT, 
	votes INTEGER NOT NULL, 
	decided_by VARCHAR(16) NOT NULL, 
	method VARCHAR(32) NOT NULL, 
	PRIMARY KEY (run_id, face_id, question), 
	FOREIGN KEY(run_id) REFERENCES decision_run (id), 
	FOREIGN KEY(face_id) REFERENCES face (face_id)
);
INSERT INTO "decision" VALUES(1,'0a000000000000000000000000000000','usable','disputed',NULL,NULL,0.5,2,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0a000000000000000000000000000000','identity','disputed',NULL,NULL,4.44444444444444419772e-01,2,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0a000000000000000000000000000001','usable','rejected','reject','not_a_face',0.875,3,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0a000000000000000000000000000001','identity','rejected','different',NULL,8.3333333333333337034e-01,3,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0b000000000000000000000000000000','usable','disputed',NULL,NULL,0.5,2,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0b000000000000000000000000000000','identity','disputed',NULL,NULL,4.44444444444444419772e-01,2,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0b000000000000000000000000000001','usable','rejected','reject','not_a_face',0.875,3,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0b000000000000000000000000000001','identity','rejected','different',NULL,8.3333333333333337034e-01,3,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0a000000000000000000000000000000','','disputed',NULL,NULL,0.5,2,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0a000000000000000000000000000001','','rejected','reject','not_a_face',0.875,3,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0b000000000000000000000000000000','','disputed',NULL,NULL,0.5,2,'crowd','majority');
INSERT INTO "decision" VALUES(1,'0b000000000000000000000000000001','','rejected','reject','not_a_face',0.875,3,'crowd','majority');
CREATE TABLE decision_run (
	id INTEGER NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	method VARCHAR(32) NOT NULL, 
	votes INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "decision_run" VALUES(1,'2026-11-22T12:45:56.325783+00:00','majority',20);
CREATE TABLE face (
	face_id VARCHAR(32) NOT NULL, 
	side VARCHAR(1) NOT NULL, 
	name TEXT NOT NULL, 
	source TEXT NOT NULL, 
	source_name TEXT NOT NULL, 
	face_index INTEGER NOT NULL, 
	frame_number INTEGER, 
	x INTEGER NOT NULL, 
	y INTEGER NOT NULL, 
	w INTEGER NOT NULL, 
	h INTEGER NOT NULL, 
	rejected_in TEXT, 
	PRIMARY KEY (face_id)
);
INSERT INTO "face" VALUES('0a000000000000000000000000000000','a','clip_000001_0.png','clip','clip_000001.png',0,1,4,4,60,60,NULL);
INSERT INTO "face" VALUES('0a000000000000000000000000000001','a','clip_000002_0.png','clip','clip_000002.png',0,2,4,4,60,60,NULL);
INSERT INTO "face" VALUES('0b000000000000000000000000000000','b','clip_000001_0.png','clip','clip_000001.png',0,1,4,4,60,60,NULL);
INSERT INTO "face" VALUES('0b000000000000000000000000000001','b','clip_000002_0.png','clip','clip_000002.png',0,2,4,4,60,60,'facesets/b/rejected/20261122-090000/clip_000002_0.png');
CREATE TABLE face_change (
	side VARCHAR(1) NOT NULL, 
	changes INTEGER NOT NULL, 
	PRIMARY KEY (side)
);
INSERT INTO "face_change" VALUES('a',2);
INSERT INTO "face_change" VALUES('b',2);
CREATE TABLE face_count (
	side VARCHAR(1) NOT NULL, 
	gone BOOLEAN NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	reason VARCHAR(32) NOT NULL, 
	decided_by VARCHAR(16) NOT NULL, 
	faces INTEGER NOT NULL, 
	PRIMARY KEY (side, gone, status, reason, decided_by)
);
INSERT INTO "face_count" VALUES('a',0,'disputed','','crowd',1);
INSERT INTO "face_count" VALUES('a',0,'rejected','not_a_face','crowd',1);
INSERT INTO "face_count" VALUES('b',0,'disputed','','crowd',1);
INSERT INTO "face_count" VALUES('b',1,'rejected','not_a_face','crowd',1);
CREATE TABLE faceset (
	id VARCHAR(64) NOT NULL, 
	side VARCHAR(1) NOT NULL, 
	merge_id VARCHAR(64) NOT NULL, 
	parent VARCHAR(64), 
	digest VARCHAR(80) NOT NULL, 
	faces INTEGER NOT NULL, 
	rejected INTEGER NOT NULL, 
	approved_at VARCHAR(40) NOT NULL, 
	undone_at VARCHAR(40), 
	PRIMARY KEY (id)
);
INSERT INTO "faceset" VALUES('b-20261122','b','20261122-090000',NULL,'blake2b:5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e',7,1,'2026-11-22T09:00:00+00:00',NULL);
CREATE TABLE gate_picture (
	id VARCHAR(40) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	score FLOAT, 
	word VARCHAR(8) NOT NULL, 
	name TEXT NOT NULL, 
	said_at VARCHAR(40), 
	PRIMARY KEY (id)
);
CREATE TABLE hit (
	state_key VARCHAR(255) NOT NULL, 
	batch_key VARCHAR(100) NOT NULL, 
	hit_key VARCHAR(100) NOT NULL, 
	position INTEGER NOT NULL, 
	question TEXT NOT NULL, 
	question_digest VARCHAR(64) NOT NULL, 
	token VARCHAR(64) NOT NULL, 
	annotation VARCHAR(255) NOT NULL, 
	max_assignments INTEGER NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	intent_at DATETIME, 
	published_at DATETIME, 
	adopted BOOLEAN NOT NULL, 
	hit_id VARCHAR(64), 
	hit_type_id VARCHAR(64), 
	group_id VARCHAR(64), 
	expires_at DATETIME, 
	PRIMARY KEY (state_key, batch_key, hit_key), 
	FOREIGN KEY(state_key, batch_key) REFERENCES batch (state_key, batch_key), 
	CONSTRAINT hit_once UNIQUE (state_key, hit_id), 
	CONSTRAINT annotation_once UNIQUE (state_key, annotation)
);
INSERT INTO "hit" VALUES('local','abc123-a-usable-r1-0001','abc123-a-usable-r1-0001-0001',0,'<form>','0316e1e67a5430e723fe3653f07e5a335e6e66e9bcf46344e73ac02bcadbf613','1e2ebe9b29ba90a82433f41d0aeb6521ee5a540ea59a15780962bf576c266b89','galloway:1e2ebe9b29ba90a82433f41d0aeb6521ee5a540ea59a15780962bf576c266b89:abc123-a-usable-r1-0001:abc123-a-usable-r1-0001-0001',3,'published',NULL,'2026-11-22 12:45:56.386791',0,'3HIT00000000000000000000000000','3TYPE','3GROUP','2026-11-22 09:00:00.000000');
INSERT INTO "hit" VALUES('local','abc123-a-usable-r1-0001','abc123-a-usable-r1-0001-0002',1,'<form>','0316e1e67a5430e723fe3653f07e5a335e6e66e9bcf46344e73ac02bcadbf613','6a63fe207abb7ee29a5b9b067ca7cadb4fbdffaead9b79aebb9079389ebb5260','galloway:6a63fe207abb7ee29a5b9b067ca7cadb4fbdffaead9b79aebb9079389ebb5260:abc123-a-usable-r1-0001:abc123-a-usable-r1-0001-0002',3,'published',NULL,'2026-11-22 12:45:56.417216',0,'3HIT00000000000000000000000001','3TYPE','3GROUP','2026-11-22 09:00:00.000000');
CREATE TABLE hit_tile (
	batch_key VARCHAR(64) NOT NULL, 
	hit_key VARCHAR(64) NOT NULL, 
	tile_key VARCHAR(32) NOT NULL, 
	face_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	gold BOOLEAN NOT NULL, group_number INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (batch_key, hit_key, tile_key), 
	FOREIGN KEY(batch_key) REFERENCES batch_plan (batch_key)
);
INSERT INTO "hit_tile" VALUES('abc123-a-usable-r1-0001','abc123-a-usable-r1-0001-0001','0f0e0d0c0b0a','0a000000000000000000000000000000',0,0,0);
CREATE TABLE kept_figure (
	name VARCHAR(32) NOT NULL, 
	state VARCHAR(80) NOT NULL, 
	made_at VARCHAR(40) NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE payment (
	state_key VARCHAR(255) NOT NULL, 
	payment_key VARCHAR(200) NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	batch_key VARCHAR(100) NOT NULL, 
	assignment_id VARCHAR(64) NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	amount VARCHAR(20) NOT NULL, 
	fee VARCHAR(20) NOT NULL, 
	reason TEXT NOT NULL, 
	token VARCHAR(64) NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	intent_at DATETIME NOT NULL, 
	done_at DATETIME, 
	PRIMARY KEY (state_key, payment_key), 
	FOREIGN KEY(state_key, assignment_id) REFERENCES assignment (state_key, assignment_id)
);
INSERT INTO "payment" VALUES('local','approve:3ASSIGN00000000000000000000000','approve','abc123-a-usable-r1-0001','3ASSIGN00000000000000000000000','AANN','0.15','0.00','','','done','2026-11-22 12:45:56.464097','2026-11-22 12:45:56.485180');
INSERT INTO "payment" VALUES('local','approve:3ASSIGN00000000000000000000001','approve','abc123-a-usable-r1-0001','3ASSIGN00000000000000000000001','ABEN','0.15','0.00','','','done','2026-11-22 12:45:56.504602','2026-11-22 12:45:56.513200');
INSERT INTO "payment" VALUES('local','approve:3ASSIGN00000000000000000000002','approve','abc123-a-usable-r1-0001','3ASSIGN00000000000000000000002','ACARA','0.15','0.00','','','done','2026-11-22 12:45:56.533150','2026-11-22 12:45:56.541926');
CREATE TABLE reviewed_page (
	hit_key VARCHAR(64) NOT NULL, 
	batch_key VARCHAR(64) NOT NULL, 
	person TEXT NOT NULL, 
	answers TEXT NOT NULL, 
	seconds FLOAT, 
	submitted_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (hit_key), 
	FOREIGN KEY(batch_key) REFERENCES batch_plan (batch_key)
);
CREATE TABLE shown_face (
	face_id VARCHAR(32) NOT NULL, 
	side VARCHAR(1) NOT NULL, 
	source TEXT NOT NULL, 
	frame INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	gone BOOLEAN NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	reason VARCHAR(32) NOT NULL, 
	decided_by VARCHAR(16) NOT NULL, 
	doubt FLOAT NOT NULL, 
	risk FLOAT NOT NULL, 
	sharpness FLOAT NOT NULL, 
	yaw FLOAT NOT NULL, 
	person INTEGER NOT NULL, 
	x FLOAT NOT NULL, 
	y FLOAT NOT NULL, 
	PRIMARY KEY (face_id), 
	FOREIGN KEY(face_id) REFERENCES face (face_id)
);
INSERT INTO "shown_face" VALUES('0a000000000000000000000000000000','a','clip',1,60,0,'disputed','','crowd',1.0,1.0,0.0,0.0,0,0.5,0.5);
INSERT INTO "shown_face" VALUES('0a000000000000000000000000000001','a','clip',2,60,0,'rejected','not_a_face','crowd',0.125,0.125,0.0,0.0,0,0.5,0.5);
INSERT INTO "shown_face" VALUES('0b000000000000000000000000000000','b','clip',1,60,0,'disputed','','crowd',1.0,1.0,0.0,0.0,0,0.5,0.5);
INSERT INTO "shown_face" VALUES('0b000000000000000000000000000001','b','clip',2,60,1,'rejected','not_a_face','crowd',0.125,0.125,0.0,0.0,0,0.5,0.5);
CREATE TABLE source (
	id INTEGER NOT NULL, 
	side VARCHAR(1) NOT NULL, 
	name TEXT NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	path TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	person TEXT NOT NULL, 
	basis VARCHAR(16) NOT NULL, 
	note TEXT NOT NULL, 
	ingested_at VARCHAR(40) NOT NULL, 
	frames INTEGER, 
	faces INTEGER, 
	engine VARCHAR(32), 
	extracted_at VARCHAR(40), 
	PRIMARY KEY (id), 
	CONSTRAINT source_name UNIQUE (side, name)
);
INSERT INTO "source" VALUES(1,'a','clip','video','sources/a/clip.mp4','0000000000000000000000000000000000000000000000000000000000000000','Eileen','public-domain','','2026-11-22T09:00:00+00:00',60,2,'embedded','2026-11-22T09:00:00+00:00');
INSERT INTO "source" VALUES(2,'b','clip','video','sources/b/clip.mp4','0000000000000000000000000000000000000000000000000000000000000000','Grace','public-domain','','2026-11-22T09:00:00+00:00',60,2,'embedded','2026-11-22T09:00:00+00:00');
CREATE TABLE swap_batch (
	batch_key VARCHAR(64) NOT NULL, 
	market TEXT NOT NULL, 
	film VARCHAR(64) NOT NULL, 
	page VARCHAR(12) NOT NULL, 
	round INTEGER NOT NULL, 
	votes INTEGER NOT NULL, 
	reward VARCHAR(16) NOT NULL, 
	seconds INTEGER NOT NULL, 
	excluded TEXT NOT NULL, 
	links_until VARCHAR(40) NOT NULL, 
	planned_at VARCHAR(40) NOT NULL, 
	published_at VARCHAR(40), 
	PRIMARY KEY (batch_key)
);
CREATE TABLE swap_moment (
	film VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	why VARCHAR(24) NOT NULL, 
	PRIMARY KEY (film, number)
);
CREATE TABLE swap_tile (
	batch_key VARCHAR(64) NOT NULL, 
	hit_key VARCHAR(64) NOT NULL, 
	tile_key VARCHAR(32) NOT NULL, 
	moment INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	media TEXT NOT NULL, 
	PRIMARY KEY (batch_key, hit_key, tile_key), 
	FOREIGN KEY(batch_key) REFERENCES swap_batch (batch_key)
);
CREATE TABLE swap_vote (
	assignment_id VARCHAR(64) NOT NULL, 
	tile_key VARCHAR(32) NOT NULL, 
	hit_key VARCHAR(64) NOT NULL, 
	film VARCHAR(64) NOT NULL, 
	moment INTEGER NOT NULL, 
	label VARCHAR(16) NOT NULL, 
	mask TEXT NOT NULL, 
	worker_id VARCHAR(64) NOT NULL, 
	submitted_at VARCHAR(40) NOT NULL, 
	seconds FLOAT, 
	kind VARCHAR(8) NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	PRIMARY KEY (assignment_id, tile_key)
);
CREATE TABLE team_act (
	number INTEGER NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	who TEXT NOT NULL, 
	through VARCHAR(8) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	what TEXT NOT NULL, 
	figure TEXT NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE vote (
	id INTEGER NOT NULL, 
	face_id VARCHAR(32) NOT NULL, 
	question VARCHAR(16) NOT NULL, 
	label VARCHAR(32) NOT NULL, 
	reason VARCHAR(32), 
	worker_id VARCHAR(64) NOT NULL, 
	assignment_id VARCHAR(64) NOT NULL, 
	round INTEGER NOT NULL, 
	submitted_at VARCHAR(40) NOT NULL, 
	seconds FLOAT, 
	kind VARCHAR(8) NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	note TEXT, look VARCHAR(24) DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT vote_once UNIQUE (face_id, question, assignment_id), 
	FOREIGN KEY(face_id) REFERENCES face (face_id)
);
INSERT INTO "vote" VALUES(1,'0a000000000000000000000000000000','usable','keep',NULL,'AANN','3AANNAUSABLE0',1,'2026-11-22T09:00:00+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(2,'0a000000000000000000000000000000','identity','same',NULL,'AANN','3AANNAIDENTITY0',1,'2026-11-22T09:00:00+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(3,'0a000000000000000000000000000000','usable','reject','not_a_face','ABEN','3ABENAUSABLE0',1,'2026-11-22T09:00:01+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(4,'0a000000000000000000000000000000','identity','different',NULL,'ABEN','3ABENAIDENTITY0',1,'2026-11-22T09:00:01+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(5,'0a000000000000000000000000000001','usable','reject','not_a_face','AANN','3AANNAUSABLE1',1,'2026-11-22T09:00:05+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(6,'0a000000000000000000000000000001','identity','different',NULL,'AANN','3AANNAIDENTITY1',1,'2026-11-22T09:00:05+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(7,'0a000000000000000000000000000001','usable','reject','not_a_face','ABEN','3ABENAUSABLE1',1,'2026-11-22T09:00:06+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(8,'0a000000000000000000000000000001','identity','different',NULL,'ABEN','3ABENAIDENTITY1',1,'2026-11-22T09:00:06+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(9,'0a000000000000000000000000000001','usable','reject','not_a_face','ACARA','3ACARAAUSABLE1',1,'2026-11-22T09:00:07+00:00',3.4,'worker',1,NULL,'');
INSERT INTO "vote" VALUES(10,'0a000000000000000000000000000001','identity','different',NULL,'ACARA','3ACARAAIDENTITY1',1,'2026-11-22T09:00:07+00:00',3.4,'worker',1,NULL,'');
INSERT INTO "vote" VALUES(11,'0b000000000000000000000000000000','usable','keep',NULL,'AANN','3AANNBUSABLE0',1,'2026-11-22T09:00:00+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(12,'0b000000000000000000000000000000','identity','same',NULL,'AANN','3AANNBIDENTITY0',1,'2026-11-22T09:00:00+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(13,'0b000000000000000000000000000000','usable','reject','not_a_face','ABEN','3ABENBUSABLE0',1,'2026-11-22T09:00:01+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(14,'0b000000000000000000000000000000','identity','different',NULL,'ABEN','3ABENBIDENTITY0',1,'2026-11-22T09:00:01+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(15,'0b000000000000000000000000000001','usable','reject','not_a_face','AANN','3AANNBUSABLE1',1,'2026-11-22T09:00:05+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(16,'0b000000000000000000000000000001','identity','different',NULL,'AANN','3AANNBIDENTITY1',1,'2026-11-22T09:00:05+00:00',1.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(17,'0b000000000000000000000000000001','usable','reject','not_a_face','ABEN','3ABENBUSABLE1',1,'2026-11-22T09:00:06+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(18,'0b000000000000000000000000000001','identity','different',NULL,'ABEN','3ABENBIDENTITY1',1,'2026-11-22T09:00:06+00:00',2.4,'worker',0,NULL,'');
INSERT INTO "vote" VALUES(19,'0b000000000000000000000000000001','usable','reject','not_a_face','ACARA','3ACARABUSABLE1',1,'2026-11-22T09:00:07+00:00',3.4,'worker',1,NULL,'');
INSERT INTO "vote" VALUES(20,'0b000000000000000000000000000001','identity','different',NULL,'ACARA','3ACARABIDENTITY1',1,'2026-11-22T09:00:07+00:00',3.4,'worker',1,NULL,'');
CREATE TABLE vote_count (
	kind VARCHAR(8) NOT NULL, 
	votes INTEGER NOT NULL, 
	PRIMARY KEY (kind)
);
INSERT INTO "vote_count" VALUES('worker',20);
CREATE INDEX assignment_by_hit ON assignment (state_key, batch_key, hit_key);
CREATE INDEX ix_face_side ON face (side);
CREATE INDEX ix_vote_worker_id ON vote (worker_id);
CREATE INDEX ix_vote_face_id ON vote (face_id);
CREATE INDEX ix_hit_tile_face_id ON hit_tile (face_id);
CREATE INDEX ix_swap_vote_film ON swap_vote (film);
CREATE INDEX shown_status ON shown_face (side, status, gone);
CREATE INDEX shown_person ON shown_face (side, person);
CREATE INDEX shown_film ON shown_face (side, source, frame, face_id);
CREATE INDEX shown_risk ON shown_face (risk, face_id);
CREATE INDEX shown_doubt ON shown_face (doubt, face_id);
CREATE INDEX shown_sharpness ON shown_face (sharpness, face_id);
CREATE INDEX shown_yaw ON shown_face (yaw, face_id);
CREATE INDEX shown_size ON shown_face (size, face_id);
CREATE INDEX ix_decided_former_face_id ON decided_former (face_id);
CREATE TRIGGER team_act_stays_update BEFORE UPDATE ON team_act BEGIN SELECT RAISE(ABORT, 'what was done stays as it was written'); END;
CREATE TRIGGER team_act_stays_delete BEFORE DELETE ON team_act BEGIN SELECT RAISE(ABORT, 'what was done stays as it was written'); END;
CREATE INDEX hit_counts ON hit (batch_key, state_key, hit_key, hit_id, group_id, status, expires_at, max_assignments);
CREATE INDEX assignment_counts ON assignment (state_key, batch_key, hit_key, status);
CREATE INDEX payment_sums ON payment (status, state_key, batch_key, kind, amount, fee);
CREATE INDEX payment_by_worker ON payment (status, worker_id, amount);
CREATE TRIGGER face_count_insert AFTER INSERT ON shown_face FOR EACH ROW BEGIN INSERT INTO face_count (side, gone, status, reason, decided_by, faces) VALUES (NEW.side, NEW.gone, NEW.status, NEW.reason, NEW.decided_by, 1) ON CONFLICT (side, gone, status, reason, decided_by) DO UPDATE SET faces = faces + 1; END;
CREATE TRIGGER face_count_delete AFTER DELETE ON shown_face FOR EACH ROW BEGIN UPDATE face_count SET faces = faces - 1 WHERE side = OLD.side AND gone = OLD.gone AND status = OLD.status AND reason = OLD.reason AND decided_by = OLD.decided_by; END;
CREATE TRIGGER face_count_update AFTER UPDATE ON shown_face FOR EACH ROW WHEN OLD.side IS NOT NEW.side OR OLD.gone IS NOT NEW.gone OR OLD.status IS NOT NEW.status OR OLD.reason IS NOT NEW.reason OR OLD.decided_by IS NOT NEW.decided_by BEGIN UPDATE face_count SET faces = faces - 1 WHERE side = OLD.side AND gone = OLD.gone AND status = OLD.status AND reason = OLD.reason AND decided_by = OLD.decided_by; INSERT INTO face_count (side, gone, status, reason, decided_by, faces) VALUES (NEW.side, NEW.gone, NEW.status, NEW.reason, NEW.decided_by, 1) ON CONFLICT (side, gone, status, reason, decided_by) DO UPDATE SET faces = faces + 1; END;
CREATE TRIGGER cell_count_insert AFTER INSERT ON shown_face FOR EACH ROW BEGIN INSERT INTO cell_count (side, across, down, status, faces) VALUES (NEW.side, CAST(NEW.x * 159 AS INTEGER), CAST(NEW.y * 159 AS INTEGER), NEW.status, 1) ON CONFLICT (side, across, down, status) DO UPDATE SET faces = faces + 1; END;
CREATE TRIGGER cell_count_delete AFTER DELETE ON shown_face FOR EACH ROW BEGIN UPDATE cell_count SET faces = faces - 1 WHERE side = OLD.side AND across = CAST(OLD.x * 159 AS INTEGER) AND down = CAST(OLD.y * 159 AS INTEGER) AND status = OLD.status; END;
CREATE TRIGGER cell_count_update AFTER UPDATE ON shown_face FOR EACH ROW WHEN OLD.side IS NOT NEW.side OR CAST(OLD.x * 159 AS INTEGER) IS NOT CAST(NEW.x * 159 AS INTEGER) OR CAST(OLD.y * 159 AS INTEGER) IS NOT CAST(NEW.y * 159 AS INTEGER) OR OLD.status IS NOT NEW.status BEGIN UPDATE cell_count SET faces = faces - 1 WHERE side = OLD.side AND across = CAST(OLD.x * 159 AS INTEGER) AND down = CAST(OLD.y * 159 AS INTEGER) AND status = OLD.status; INSERT INTO cell_count (side, across, down, status, faces) VALUES (NEW.side, CAST(NEW.x * 159 AS INTEGER), CAST(NEW.y * 159 AS INTEGER), NEW.status, 1) ON CONFLICT (side, across, down, status) DO UPDATE SET faces = faces + 1; END;
CREATE TRIGGER vote_count_insert AFTER INSERT ON vote FOR EACH ROW BEGIN INSERT INTO vote_count (kind, votes) VALUES (NEW.kind, 1) ON CONFLICT (kind) DO UPDATE SET votes = votes + 1; END;
CREATE TRIGGER vote_count_delete AFTER DELETE ON vote FOR EACH ROW BEGIN UPDATE vote_count SET votes = votes - 1 WHERE kind = OLD.kind; END;
CREATE TRIGGER vote_count_update AFTER UPDATE ON vote FOR EACH ROW WHEN OLD.kind IS NOT NEW.kind BEGIN UPDATE vote_count SET votes = votes - 1 WHERE kind = OLD.kind; INSERT INTO vote_count (kind, votes) VALUES (NEW.kind, 1) ON CONFLICT (kind) DO UPDATE SET votes = votes + 1; END;
CREATE TRIGGER face_change_insert AFTER INSERT ON face FOR EACH ROW BEGIN INSERT INTO face_change (side, changes) VALUES (NEW.side, 1) ON CONFLICT (side) DO UPDATE SET changes = changes + 1; END;
CREATE TRIGGER face_change_delete AFTER DELETE ON face FOR EACH ROW BEGIN INSERT INTO face_change (side, changes) VALUES (OLD.side, 1) ON CONFLICT (side) DO UPDATE SET changes = changes + 1; END;
COMMIT;
