"""customers.v1.CustomerService: customers and sales, in SQLite or PostgreSQL."""
