"""What a released model is, read and written as plain files: no Spark session, no network."""
