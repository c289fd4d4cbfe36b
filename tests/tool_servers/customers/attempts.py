"""SQL that tries to do more than read: what an injected text would have a model send."""

STACKED = [
    "SELECT 1; DELETE FROM customers",
    "SELECT 1; DROP TABLE customers; --",
    "SELECT 1;;UPDATE customers SET country = 'XX'",
    "SELECT name FROM customers WHERE name = 'x'; INSERT INTO products VALUES (99, 'x', 'x', 1)",
    "; DELETE FROM customers",
    "BEGIN; DELETE FROM order_items; COMMIT",
    "COMMIT; DELETE FROM order_items",
    "ROLLBACK; DELETE FROM order_items",
]
WRITES = [
    "DELETE FROM customers",
    "delete from customers where 1 = 1",
    "UPDATE customers SET email = 'eve@example.com'",
    "INSERT INTO products (id, name, category, price) VALUES (98, 'x', 'x', 1)",
    "DROP TABLE order_items",
    "DROP VIEW customer_revenue",
    "CREATE TABLE stolen AS SELECT * FROM customers",
    "CREATE INDEX slow ON customers (name)",
    "ALTER TABLE customers ADD COLUMN x TEXT",
    "SELECT * INTO stolen FROM customers",
]
COMMENTS = [
    "/* SELECT 1 */ DELETE FROM customers",
    "-- SELECT\nDELETE FROM customers",
    "SELECT 1 /* ; */ ; DELETE FROM customers --",
    "SELECT 1 --\n; DELETE FROM customers",
    "DE/**/LETE FROM customers",
    "DELETE/**/FROM/**/customers",
    "/*!50000 DELETE FROM customers */",
    "SELECT '--' ; DELETE FROM customers",
]
IN_QUERIES = [
    "WITH gone AS (DELETE FROM customers RETURNING *) SELECT * FROM gone",
    "WITH changed AS (UPDATE customers SET country = 'XX' RETURNING id) SELECT count(*) FROM changed",
    "WITH one AS (SELECT 1) DELETE FROM customers",
    "WITH one AS (SELECT 1) INSERT INTO products SELECT 97, 'x', 'x', 1 FROM one",
    "SELECT * FROM (DELETE FROM customers RETURNING id) AS gone",
    "EXPLAIN ANALYZE DELETE FROM customers",
    "SELECT * FROM customers FOR UPDATE",
]
SQLITE = [
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "ATTACH DATABASE '/tmp/stolen.db' AS stolen",
    "VACUUM INTO '/tmp/stolen.db'",
    "REPLACE INTO products VALUES (1, 'x', 'x', 1)",
    "SELECT load_extension('/tmp/x.so')",
    "SELECT hex(zeroblob(100000000))",
    "REINDEX",
]
POSTGRES = [
    "SELECT pg_sleep(60)",
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_create(0)",
    "SELECT nextval('orders_id_seq')",
    "COPY customers TO PROGRAM 'cat'",
    "COPY customers FROM '/etc/passwd'",
    "SET TRANSACTION READ WRITE",
    "SET default_transaction_read_only = off",
    "DO $$ BEGIN DELETE FROM customers; END $$",
    "GRANT ALL ON customers TO PUBLIC",
    "TRUNCATE customers",
    "LISTEN x",
    "CALL x()",
    "SELECT * FROM pg_authid",
    "LOCK TABLE customers",
]

ALL = [*STACKED, *WRITES, *COMMENTS, *IN_QUERIES, *SQLITE, *POSTGRES]
EVERYWHERE = [*STACKED, *WRITES, *COMMENTS, *IN_QUERIES]
