INSERT INTO sequence (name, next) VALUES ('queue_message', 1);
