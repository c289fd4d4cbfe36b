"""One folder for each tool service, in the language that suits it; none imports the broker."""
