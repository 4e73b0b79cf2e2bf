"""The workbook for people in the portal, and the views as workspace functions."""
