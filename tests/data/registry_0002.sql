BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE cache (
	namespace TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value BLOB NOT NULL, 
	PRIMARY KEY (namespace, "key")
);
CREATE TABLE decisions (
	number INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	theme_id TEXT, 
	detail JSON NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at DATETIME NOT NULL, 
	holds_from DATE NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "decisions" VALUES(1,'rename','T0001','{"name": "返品のしかた"}','analyst','2026-11-09 09:00:00.000000','2026-11-10');
CREATE TABLE feedback (
	source TEXT NOT NULL, 
	feedback_id TEXT NOT NULL, 
	text TEXT NOT NULL, 
	score INTEGER, 
	received_at DATETIME, 
	customer TEXT, 
	segments JSON NOT NULL, 
	content_hash VARCHAR(64) NOT NULL, 
	first_seen DATE NOT NULL, 
	last_seen DATE NOT NULL, 
	PRIMARY KEY (source, feedback_id)
);
CREATE TABLE looks (
	look_id VARCHAR(64) NOT NULL, 
	dim INTEGER NOT NULL, 
	vectors BLOB NOT NULL, 
	PRIMARY KEY (look_id)
);
INSERT INTO "looks" VALUES('0175735c38ee7d65e4f596d11c8990ed5dec41513322a0bb66a37df446470eba',3,X'9A99193FCDCC4C3F000000000000803F0000000000000000');
INSERT INTO "looks" VALUES('662243b30db27003ecacb4d6e80542d61b63eed4c71bbeceacbee9302d82b5ea',3,X'0000803F00000000000000009A99193FCDCC4C3F00000000');
CREATE TABLE members (
	business_date DATE NOT NULL, 
	units BLOB NOT NULL, 
	PRIMARY KEY (business_date), 
	FOREIGN KEY(business_date) REFERENCES nights (business_date) ON DELETE CASCADE
);
INSERT INTO "members" VALUES('2026-11-09',X'789CAB56CA53B25230D251502AC948CD4D2D0672A295420C0C0C0C958062208691526C2D17330304B043694620060083200973');
INSERT INTO "members" VALUES('2026-11-10',X'789CAB56CA53B25230D251502AC948CD4D2D0672A295420C0C0C0C958062208691526C2D17330304B043694620060083200973');
CREATE TABLE night_themes (
	business_date DATE NOT NULL, 
	theme_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	parent_id TEXT, 
	status TEXT NOT NULL, 
	first_seen DATE NOT NULL, 
	last_seen DATE NOT NULL, 
	keywords JSON NOT NULL, 
	centroid BLOB, 
	model_id TEXT NOT NULL, look_id VARCHAR(64), 
	PRIMARY KEY (business_date, theme_id), 
	FOREIGN KEY(business_date) REFERENCES nights (business_date) ON DELETE CASCADE
);
INSERT INTO "night_themes" VALUES('2026-11-09','T0001','返品',NULL,'continuing','2026-11-01','2026-11-09','["返品", "手続き"]',NULL,'fake|medium','0175735c38ee7d65e4f596d11c8990ed5dec41513322a0bb66a37df446470eba');
INSERT INTO "night_themes" VALUES('2026-11-09','T0002','在庫',NULL,'new','2026-11-09','2026-11-09','["在庫"]',NULL,'fake|medium','662243b30db27003ecacb4d6e80542d61b63eed4c71bbeceacbee9302d82b5ea');
INSERT INTO "night_themes" VALUES('2026-11-10','T0001','返品',NULL,'continuing','2026-11-01','2026-11-10','["返品", "手続き"]',NULL,'fake|medium','0175735c38ee7d65e4f596d11c8990ed5dec41513322a0bb66a37df446470eba');
INSERT INTO "night_themes" VALUES('2026-11-10','T0002','在庫',NULL,'dormant','2026-11-09','2026-11-09','["在庫"]',NULL,'fake|medium','662243b30db27003ecacb4d6e80542d61b63eed4c71bbeceacbee9302d82b5ea');
CREATE TABLE nights (
	business_date DATE NOT NULL, 
	summary TEXT NOT NULL, 
	PRIMARY KEY (business_date)
);
INSERT INTO "nights" VALUES('2026-11-09','{}
');
INSERT INTO "nights" VALUES('2026-11-10','{}
');
CREATE TABLE transitions (
	business_date DATE NOT NULL, 
	theme_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	others JSON NOT NULL, 
	kept FLOAT, 
	decision INTEGER, 
	PRIMARY KEY (business_date, theme_id), 
	FOREIGN KEY(business_date) REFERENCES nights (business_date) ON DELETE CASCADE
);
INSERT INTO "transitions" VALUES('2026-11-09','T0001','survived','[]',1.0,NULL);
INSERT INTO "transitions" VALUES('2026-11-09','T0002','new','[]',NULL,NULL);
INSERT INTO "transitions" VALUES('2026-11-10','T0002','dormant','[]',NULL,NULL);
CREATE INDEX ix_feedback_received_at ON feedback (received_at);
COMMIT;
