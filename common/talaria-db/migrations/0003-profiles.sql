-- Which state of the profile's configuration a run was accepted with, then, once claimed, which one it is executed with. A keyed
-- hash: it tells states apart and nothing else. Null: accepted before there was one, or the profile could not be read.
alter table runs add column config_revision text;
