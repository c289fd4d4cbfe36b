"""charts.v1.ChartService: numbers → a PNG image."""
