"""knowledge.v1.KnowledgeService: passages of documents, with their place."""
