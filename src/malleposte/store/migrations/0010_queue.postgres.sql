CREATE SEQUENCE seq_queue_message;
