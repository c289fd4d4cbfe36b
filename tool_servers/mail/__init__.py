"""mail.v1.MailService: mails written from a template and sent by SMTP."""
