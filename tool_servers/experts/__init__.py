"""experts.v1.ExpertService: a second model, asked for its opinion."""
