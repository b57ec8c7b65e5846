"""The Singer target: rows from anywhere into the Cirqll CRM, without a duplicate."""
